import { type Zippable, zipSync } from 'fflate';

/** One file of an archive; `name` with forward slashes, relative. */
export interface ZippedFile {
  name: string;
  content: Buffer;
}

// Every file has this time and these permissions, so that equal content gives an equal archive.
const UNIX = 3;
// The upper half is for Unix: a regular file that everyone may read.
const RIGHTS = 0o100644 * 0x10000;

/** Creates a ZIP archive (PKWARE APPNOTE 6.3.10). */
export function zip(files: readonly ZippedFile[]): Buffer {
  const sorted = files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const entries: Zippable = Object.fromEntries(sorted.map(({ name, content }) => [name, content]));
  // Times in an archive are local and start in 1980 (section 4.4.6).
  const mtime = new Date(1980, 0, 1);
  return Buffer.from(zipSync(entries, { level: 9, mtime, os: UNIX, attrs: RIGHTS }));
}
