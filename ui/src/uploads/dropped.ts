import type { Item } from './model.svelte.ts';

/** What a drop of the browser holds. Entries have to be asked for before the event ends. */
export function dropped(transfer: DataTransfer): Item[] {
  return [...transfer.items].flatMap((one) => {
    const file = one.getAsFile();
    if (file === null) return [];
    const folder = one.webkitGetAsEntry()?.isDirectory === true;
    return [{ name: file.name, bytes: file.size, folder, blob: () => Promise.resolve(file) }];
  });
}
