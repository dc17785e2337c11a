// xterm.js writes its rules into style elements, which a strict content security policy refuses. This document gives it
// elements whose text becomes an adopted style sheet instead. Style attributes, which it writes too, stay to be allowed
// (`style-src-attr`): those can only be set by code.

/** A document as xterm.js sees it; everything but the making of style elements is the real one's. */
export function withAdoptedStyles(real: Document): Document {
  return new Proxy(real, {
    get(target, name) {
      if (name === 'createElement') return creating(target);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}

/** Does something while the real document makes such elements, too: the scrollbar of xterm.js 6.0 asks that one, past the one it was given. */
export function adoptingStyles(real: Document, make: () => void): void {
  real.createElement = creating(real) as Document['createElement'];
  try {
    make();
  } finally {
    Reflect.deleteProperty(real, 'createElement');
  }
}

function creating(real: Document) {
  const create = Document.prototype.createElement.bind(real);
  return (tag: string, options?: ElementCreationOptions): HTMLElement => (tag === 'style' ? styleElement(real) : create(tag, options));
}

/** Not a style element at all, since the policy counts even an empty one. */
function styleElement(real: Document): HTMLElement {
  const element = real.createElement('span');
  element.hidden = true;
  const sheet = new CSSStyleSheet();
  real.adoptedStyleSheets = [...real.adoptedStyleSheets, sheet];
  Object.defineProperty(element, 'textContent', {
    get: () => '',
    set: (text: string) => sheet.replaceSync(text),
  });
  element.remove = () => {
    real.adoptedStyleSheets = real.adoptedStyleSheets.filter((one) => one !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}
