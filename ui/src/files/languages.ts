// Which language a file is highlighted as. Each is its own file of the page, loaded when the first such file is shown.

import { type Language, type LanguageSupport, StreamLanguage, type StreamParser } from '@codemirror/language';

type Load = () => Promise<LanguageSupport | Language>;

/** A language of the older kind, from CodeMirror's legacy modes. */
function older<M>(load: () => Promise<M>, pick: (module: M) => StreamParser<unknown>): Load {
  return async () => StreamLanguage.define(pick(await load()));
}

const script = (options: { typescript?: boolean; jsx?: boolean }): Load => async () =>
  (await import('@codemirror/lang-javascript')).javascript(options);
const shell = older(() => import('@codemirror/legacy-modes/mode/shell'), ({ shell }) => shell);
const toml = older(() => import('@codemirror/legacy-modes/mode/toml'), ({ toml }) => toml);
const docker = older(() => import('@codemirror/legacy-modes/mode/dockerfile'), ({ dockerFile }) => dockerFile);
const properties = older(() => import('@codemirror/legacy-modes/mode/properties'), ({ properties }) => properties);
const ruby = older(() => import('@codemirror/legacy-modes/mode/ruby'), ({ ruby }) => ruby);
const lua = older(() => import('@codemirror/legacy-modes/mode/lua'), ({ lua }) => lua);
const swift = older(() => import('@codemirror/legacy-modes/mode/swift'), ({ swift }) => swift);
const csharp = older(() => import('@codemirror/legacy-modes/mode/clike'), ({ csharp }) => csharp);
const kotlin = older(() => import('@codemirror/legacy-modes/mode/clike'), ({ kotlin }) => kotlin);
const patch = older(() => import('@codemirror/legacy-modes/mode/diff'), ({ diff }) => diff);
const html: Load = async () => (await import('@codemirror/lang-html')).html();
const css: Load = async () => (await import('@codemirror/lang-css')).css();
const cpp: Load = async () => (await import('@codemirror/lang-cpp')).cpp();
const yaml: Load = async () => (await import('@codemirror/lang-yaml')).yaml();
const json: Load = async () => (await import('@codemirror/lang-json')).json();
const markdown: Load = async () => (await import('@codemirror/lang-markdown')).markdown();
const xml: Load = async () => (await import('@codemirror/lang-xml')).xml();

const BY_END: Record<string, Load | undefined> = {
  ts: script({ typescript: true }),
  mts: script({ typescript: true }),
  cts: script({ typescript: true }),
  tsx: script({ typescript: true, jsx: true }),
  js: script({ jsx: true }),
  mjs: script({ jsx: true }),
  cjs: script({ jsx: true }),
  jsx: script({ jsx: true }),
  rs: async () => (await import('@codemirror/lang-rust')).rust(),
  py: async () => (await import('@codemirror/lang-python')).python(),
  go: async () => (await import('@codemirror/lang-go')).go(),
  java: async () => (await import('@codemirror/lang-java')).java(),
  php: async () => (await import('@codemirror/lang-php')).php(),
  sql: async () => (await import('@codemirror/lang-sql')).sql(),
  c: cpp,
  h: cpp,
  cc: cpp,
  cpp,
  hpp: cpp,
  html,
  htm: html,
  svelte: html,
  vue: html,
  css,
  scss: css,
  less: css,
  json,
  jsonc: json,
  jsonl: json,
  md: markdown,
  mdx: markdown,
  xml,
  svg: xml,
  plist: xml,
  yaml,
  yml: yaml,
  toml,
  lock: toml,
  sh: shell,
  bash: shell,
  zsh: shell,
  dockerfile: docker,
  ini: properties,
  conf: properties,
  env: properties,
  rb: ruby,
  lua,
  swift,
  cs: csharp,
  kt: kotlin,
  diff: patch,
  patch,
};

const BY_NAME: Record<string, Load | undefined> = {
  dockerfile: docker,
  'cargo.lock': toml,
  'yarn.lock': yaml,
  makefile: shell,
  gemfile: ruby,
  rakefile: ruby,
  '.bashrc': shell,
  '.gitconfig': properties,
  '.editorconfig': properties,
};

/** The way to a file's language; undefined where it is shown plain. */
export function languageOf(path: string): Load | undefined {
  const name = (path.split('/').at(-1) ?? '').toLowerCase();
  return BY_NAME[name] ?? (name.includes('.') ? BY_END[name.slice(name.lastIndexOf('.') + 1)] : undefined);
}
