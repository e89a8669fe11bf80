// Files out of a drop, a paste or a file chooser, folders walked through, each with its path inside what was given.
const LITTER = /(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)/;

/** @returns {Promise<{name: string, file: File}[]>} */
export async function filesOfTransfer(transfer) {
  // Entries must be taken before the first wait: the browser empties the transfer when the event is over.
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some(Boolean)) return filesOfList(transfer.files);
  const found = [];
  for (const entry of entries) if (entry) await walk(entry, found);
  return found.filter(isWanted);
}

export function filesOfList(list) {
  return [...list].map((file) => ({ name: file.webkitRelativePath || file.name, file })).filter(isWanted);
}

const isWanted = ({ name }) => !LITTER.test(name);

async function walk(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ name: entry.fullPath.slice(1), file });
    return;
  }
  const reader = entry.createReader();
  // One call returns a hundred entries at most.
  for (;;) {
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) return;
    for (const child of batch) await walk(child, found);
  }
}
