// What was dropped on the form: a folder is the repository, pictures go along with the prompt, and the rest is said to stay behind.

export interface Given {
  name: string;
  folder: boolean;
  /** Where it is on this machine; a browser does not say. */
  path?: string;
}

export interface Sorted<T> {
  repository: string | undefined;
  pictures: T[];
  /** Why something of it is not taken, in one sentence. */
  refusal: string | undefined;
}

const PICTURES: Record<string, string> = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp' };

/** The kind of picture that a file's name says it is. */
export function pictureType(name: string): string | undefined {
  return PICTURES[name.slice(name.lastIndexOf('.') + 1).toLowerCase()];
}

export function sorted<T extends Given>(items: readonly T[]): Sorted<T> {
  const folders = items.filter((item) => item.folder);
  const files = items.filter((item) => !item.folder);
  const pictures = files.filter((item) => pictureType(item.name) !== undefined);
  return { repository: folders[0]?.path, pictures, refusal: refusal(folders, pictures.length < files.length) };
}

function refusal(folders: readonly Given[], others: boolean): string | undefined {
  if (folders.length > 1 && folders[0]?.path !== undefined) return 'A session works on one repository: the first folder is taken.';
  if (folders[0] && folders[0].path === undefined) return 'A browser does not say where a folder is: write its path above.';
  if (others) return 'Only pictures go along with a prompt; give other files to the session once it runs.';
  return undefined;
}
