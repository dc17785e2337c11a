// CodeMirror as a reader. It lives in a shadow root, where its style rules are adopted sheets: no content security policy
// has to allow inline styles for it.

import { HighlightStyle, Language, LanguageSupport, syntaxHighlighting } from '@codemirror/language';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { languageOf } from './languages.ts';

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: 'var(--code-keyword)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: 'var(--code-string)' },
  { tag: [tags.comment, tags.meta], color: 'var(--code-comment)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--code-number)' },
  { tag: [tags.typeName, tags.className, tags.namespace, tags.tagName], color: 'var(--code-type)' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.macroName], color: 'var(--code-function)' },
  { tag: [tags.propertyName, tags.attributeName, tags.labelName], color: 'var(--code-property)' },
  { tag: tags.heading, fontWeight: '600', color: 'var(--code-keyword)' },
  { tag: tags.link, color: 'var(--code-string)' },
  { tag: tags.invalid, color: 'var(--red)' },
]);

const theme = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'transparent', color: 'var(--text)', fontSize: '12.5px' },
  '&.cm-focused': { outline: '1px solid var(--accent)', outlineOffset: '-1px' },
  '.cm-scroller': { fontFamily: 'var(--font-mono)', lineHeight: '20px' },
  '.cm-content': { padding: '8px 0' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--text-faint)', border: 'none', paddingLeft: '8px' },
  '.cm-lineNumbers .cm-gutterElement': { minWidth: '36px', padding: '0 12px 0 0' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--hover)' },
  '.cm-selectionBackground, &.cm-focused .cm-selectionBackground': { backgroundColor: 'var(--selected) !important' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-panels': { backgroundColor: 'var(--raised)', color: 'var(--text)', borderColor: 'var(--border)' },
  '.cm-panel.cm-search': { padding: '6px 8px', fontFamily: 'var(--font)' },
  '.cm-textfield': { backgroundColor: 'var(--field)', color: 'var(--text)', border: '1px solid var(--border)' },
  '.cm-button': { backgroundImage: 'none', backgroundColor: 'var(--hover)', color: 'var(--text)', border: '1px solid var(--border)' },
  '.cm-searchMatch': { backgroundColor: 'var(--match)' },
  '.cm-searchMatch-selected': { backgroundColor: 'var(--match-active)' },
});

export class CodeReader {
  readonly #view: EditorView;
  readonly #language = new Compartment();
  #path = '';

  constructor(host: HTMLElement) {
    const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
    this.#view = new EditorView({ root, parent: root as unknown as HTMLElement });
  }

  /** Shows a file. The place in it is kept where it is the same file, changed. */
  show(path: string, text: string): void {
    if (path === this.#path) {
      this.#replace(text);
      return;
    }
    this.#path = path;
    this.#view.setState(this.#fresh(path, text));
    void this.#colour(path);
  }

  dispose(): void {
    this.#path = '';
    this.#view.destroy();
  }

  #fresh(path: string, doc: string): EditorState {
    return EditorState.create({
      doc,
      extensions: [
        EditorState.readOnly.of(true),
        EditorView.contentAttributes.of({ 'aria-label': path, tabindex: '0' }),
        EditorView.editable.of(false),
        lineNumbers(),
        drawSelection(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        search({ top: true }),
        keymap.of(searchKeymap),
        syntaxHighlighting(colours),
        theme,
        this.#language.of([]),
      ],
    });
  }

  #replace(text: string): void {
    const { doc } = this.#view.state;
    if (doc.toString() === text) return;
    this.#view.dispatch({ changes: { from: 0, to: doc.length, insert: text } });
  }

  async #colour(path: string): Promise<void> {
    const loaded = await languageOf(path)?.();
    if (loaded === undefined || this.#path !== path) return;
    const extension: Language | LanguageSupport = loaded;
    this.#view.dispatch({ effects: this.#language.reconfigure(extension) });
  }
}
