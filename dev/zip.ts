import { crc32, deflateRawSync } from 'node:zlib';

/** One file of an archive; `name` with forward slashes, relative. */
export interface ZippedFile {
  name: string;
  content: Buffer;
}

// Every file has this time and these rights, so that the same content makes the same archive byte for byte.
const DOS_TIME = 0;
const DOS_DATE = (1 << 5) | 1;
const UTF8_NAMES = 0x0800;
const DEFLATED = 8;
const MADE_BY_UNIX = (3 << 8) | 20;
const NEEDED_VERSION = 20;
// Rights are the upper half: a regular file that everybody may read.
const RIGHTS = 0o100644 * 0x10000;

/** Makes a ZIP archive (PKWARE APPNOTE 6.3.10, without extensions: no file and no archive over 4 GB). */
export function zip(files: readonly ZippedFile[]): Buffer {
  const sorted = files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content } of sorted) {
    const title = Buffer.from(name, 'utf8');
    const packed = deflateRawSync(content, { level: 9 });
    const common = commonFields(content, packed, title);
    const head = Buffer.concat([fourBytes(0x04034b50), common, twoBytes(0), title]);
    directory.push(centralEntry(common, title, offset));
    parts.push(head, packed);
    offset += head.length + packed.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.concat([
    fourBytes(0x06054b50),
    twoBytes(0),
    twoBytes(0),
    twoBytes(sorted.length),
    twoBytes(sorted.length),
    fourBytes(central.length),
    fourBytes(offset),
    twoBytes(0),
  ]);
  return Buffer.concat([...parts, central, end]);
}

/** What both headers of a file say, from the version needed to the length of the name. */
function commonFields(content: Buffer, packed: Buffer, title: Buffer): Buffer {
  return Buffer.concat([
    twoBytes(NEEDED_VERSION),
    twoBytes(UTF8_NAMES),
    twoBytes(DEFLATED),
    twoBytes(DOS_TIME),
    twoBytes(DOS_DATE),
    fourBytes(crc32(content)),
    fourBytes(packed.length),
    fourBytes(content.length),
    twoBytes(title.length),
  ]);
}

function centralEntry(common: Buffer, title: Buffer, offset: number): Buffer {
  return Buffer.concat([
    fourBytes(0x02014b50),
    twoBytes(MADE_BY_UNIX),
    common,
    // No extra field, no comment, first disk, no text.
    twoBytes(0),
    twoBytes(0),
    twoBytes(0),
    twoBytes(0),
    fourBytes(RIGHTS),
    fourBytes(offset),
    title,
  ]);
}

function twoBytes(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function fourBytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
