// One observer for all pieces that have the same scrolling ancestor.

type Hear = (near: boolean) => void;

interface Watch {
  observer: IntersectionObserver;
  heard: WeakMap<Element, Hear>;
}

const watches = new WeakMap<Element, Watch>();

/** Tells whether `element` is within a screen or so of what is seen; returns how to stop. */
export function nearby(element: HTMLElement, hear: Hear): () => void {
  const root = element.closest('[data-scroller]');
  if (root === null) {
    hear(true);
    return () => undefined;
  }
  const watch = watches.get(root) ?? begin(root);
  watch.heard.set(element, hear);
  watch.observer.observe(element);
  return () => watch.observer.unobserve(element);
}

function begin(root: Element): Watch {
  const heard = new WeakMap<Element, Hear>();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) heard.get(target)?.(isIntersecting);
    },
    { root, rootMargin: '1000px 0px' },
  );
  const watch = { observer, heard };
  watches.set(root, watch);
  return watch;
}
