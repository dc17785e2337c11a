import { mount, unmount } from 'svelte';
import { afterEach, describe, expect, test } from 'vitest';
import { contextOf, type App } from '../app/context.ts';
import type { PrintedLink } from '../terminal/links.ts';
import { blocks } from './markdown.ts';
import Markdown from './Markdown.svelte';

let shown: Record<string, unknown> | undefined;
const links: PrintedLink[] = [];

/** What a text looks like on the page. */
function draw(text: string): HTMLElement {
  document.body.replaceChildren();
  links.length = 0;
  shown = mount(Markdown, { target: document.body, props: { text, onlink: (link) => void links.push(link) }, context: contextOf({ shell: {} } as App) });
  return document.body;
}

afterEach(() => {
  if (shown) void unmount(shown);
  shown = undefined;
});

/** Everything in an element that could fetch, run or hide something. */
function live(element: HTMLElement): string[] {
  const found = [...element.querySelectorAll('script, style, iframe, img, image, svg a, object, embed, form, link, meta, base, a, video, audio, source')].map((one) => one.tagName);
  const attributes = [...element.querySelectorAll('*')].flatMap((one) => [...one.attributes]).filter(({ name }) => name.startsWith('on') || name === 'style' || name === 'src' || name === 'href' || name === 'srcset');
  return [...found, ...attributes.map(({ name }) => name)];
}

describe('what an agent writes is never a part of this page', () => {
  const texts: [string, string][] = [
    ['a script', 'Hello <script>alert(1)</script> you'],
    ['a script of its own', '<script>alert(1)</script>'],
    ['an image with a handler', '<img src=x onerror=alert(1)>'],
    ['a block with a handler', '<div onclick="alert(1)">\n\nhi\n\n</div>'],
    ['a style', '<style>body{display:none}</style>'],
    ['an inline style', '<p style="position:fixed;inset:0">over everything</p>'],
    ['a frame', '<iframe srcdoc="<script>alert(1)</script>"></iframe>'],
    ['a drawing', '<svg onload=alert(1)><a xlink:href="javascript:alert(1)">x</a></svg>'],
    ['an image from elsewhere', '![a chart](https://evil.example/x.png?secret)'],
    ['an image in the text', '![x](data:image/svg+xml;base64,PHN2Zz4=)'],
    ['an image by reference', '![x][r]\n\n[r]: https://evil.example/x.png'],
    ['a link that runs', '[click](javascript:alert(1))'],
    ['a link that runs, spelled otherwise', '[click](JaVaScRiPt:alert(1)) [and](vbscript:x) [here](data:text/html,<script>alert(1)</script>) <javascript:alert(1)>'],
    ['a link to a file', '[open](file:///etc/passwd)'],
    ['a tag in a cell', '| a |\n| - |\n| <img src=x onerror=alert(1)> |'],
    ['a tag in a list', '- <b onmouseover=alert(1)>x</b>\n- [ ] <script>1</script>'],
    ['a tag in code', '```html\n<script>alert(1)</script>\n```\n`<img src=x>`'],
    ['a tag in a heading', '# <img src=x onerror=alert(1)>'],
    ['entities', '&lt;script&gt;alert(1)&lt;/script&gt;'],
  ];
  for (const [name, text] of texts) {
    test(name, () => {
      const page = draw(text);
      expect(live(page)).toEqual([]);
      expect(page.textContent?.trim()).not.toBe('');
    });
  }

  test('a tag is shown as it was written', () => {
    expect(draw('Hello <script>alert(1)</script> you').textContent).toContain('<script>alert(1)</script>');
  });
});

test('a link asks, with the address that would be opened', () => {
  const page = draw('See [the docs](https://example.com/a) and https://example.org/b');
  const buttons = [...page.querySelectorAll<HTMLButtonElement>('button.link')];
  expect(buttons.map((button) => button.textContent)).toEqual(['the docs', 'https://example.org/b']);
  buttons[0]?.click();
  expect(links.map(({ address }) => address)).toEqual(['https://example.com/a']);
});

test('Markdown reads as it is meant', () => {
  const page = draw('# Title\n\nA **bold** *word* and `code` &amp; more.\n\n1. one\n2. two\n\n- [x] done\n\n> quoted\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n```rust\nfn main() {}\n```');
  expect(page.querySelector('[role=heading]')?.textContent).toBe('Title');
  expect(page.querySelector('strong')?.textContent).toBe('bold');
  expect(page.querySelector('em')?.textContent).toBe('word');
  expect(page.querySelector('p code')?.textContent).toBe('code');
  expect(page.textContent).toContain('code & more.');
  expect([...page.querySelectorAll('ol > li')].map((one) => one.textContent?.trim())).toEqual(['one', 'two']);
  expect(page.querySelector<HTMLInputElement>('input[type=checkbox]')?.checked).toBe(true);
  expect(page.querySelector('blockquote')?.textContent?.trim()).toBe('quoted');
  expect([...page.querySelectorAll('td')].map((one) => one.textContent)).toEqual(['1', '2']);
  expect(page.querySelector('pre')?.textContent).toBe('fn main() {}');
});

test('a growing text keeps the blocks that stand already', () => {
  const before = blocks('One.\n\nTwo.\n\nThr');
  const now = blocks('One.\n\nTwo.\n\nThree.', before);
  expect(now[0]).toBe(before[0]);
  expect(now[1]).toBe(before[1]);
  expect(now[2]).not.toBe(before[2]);
});

test('nothing that is nested or long stops the page', () => {
  const began = performance.now();
  for (const text of ['> '.repeat(3000) + 'x', '*'.repeat(20_000), '['.repeat(20_000), 'a'.repeat(300_000), `${'- '.repeat(2000)}x`]) blocks(text);
  expect(performance.now() - began).toBeLessThan(4000);
});
