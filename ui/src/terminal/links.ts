// Links that an agent prints are only shown. Opening one asks first, with the whole address, and only the web's.

export interface PrintedLink {
  /** The address as it will be opened. */
  address: string;
  /** The host, which is what a person has to look at. */
  host: string;
  /** What is odd about it, in one sentence. */
  warning: string | undefined;
}

/** Reads an address that was printed; undefined where it is not one that may be opened at all. */
export function printedLink(text: string): PrintedLink | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return undefined;
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  return { address: url.href, host: url.host, warning: warning(url) };
}

function warning(url: URL): string | undefined {
  if (url.username !== '' || url.password !== '') return 'It carries a name or password before the host.';
  if (url.hostname.split('.').some((label) => label.startsWith('xn--')))
    return 'Its host is spelled with letters that can look like others.';
  if (url.href.length > 500) return 'It is very long: what an agent knows could be hidden in it.';
  if (url.search.length > 200) return 'It carries a long query: what an agent knows could be hidden in it.';
  if (url.protocol === 'http:') return 'It is not encrypted.';
  return undefined;
}
