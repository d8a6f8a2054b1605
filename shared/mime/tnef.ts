/**
 * TNEF, the `winmail.dat` in which Outlook and Exchange pack a message for each other (MS-OXTNEF). Its
 * content is never larger than the file itself.
 */
export interface Tnef {
  files: TnefFile[];
  text: string | undefined;
  html: string | undefined;
  /** False if the file is truncated or invalid from some offset on: it may contain more. */
  whole: boolean;
}

export interface TnefFile {
  name: string | undefined;
  contentType: string | undefined;
  contentId: string | undefined;
  content: Uint8Array;
}

const SIGNATURE = 0x223e9f78;
const MAX_FILES = 500;
const MAX_PROPERTIES = 10_000;
/** Nesting depth of messages. */
const MAX_DEPTH = 3;

// Attributes: MS-OXTNEF §2.1.3.1, the type in the high word, the ID in the low one.
const attribute = {
  body: 0x0002800c,
  messageProperties: 0x00069003,
  codepage: 0x00069007,
  attachmentBegins: 0x00069002,
  attachmentTitle: 0x00018010,
  attachmentData: 0x0006800f,
  attachmentProperties: 0x00069005,
} as const;

// Properties: MS-OXPROPS, the ID without the type.
const property = {
  body: 0x1000,
  html: 0x1013,
  displayName: 0x3001,
  data: 0x3701,
  shortName: 0x3704,
  longName: 0x3707,
  mimeType: 0x370e,
  contentId: 0x3712,
  codepage: 0x3fde,
} as const;

/** Opens the file; undefined if it is not TNEF or contains nothing to show. Never throws. */
export function readTnef(bytes: Uint8Array, depth = 0): Tnef | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < 6 || file.readUInt32LE(0) !== SIGNATURE) return undefined;
  const read: Read = { codepage: 1252, body: undefined, message: new Map(), drafts: [] };
  const whole = everyLengthFits(() => readAttributes(file, read));
  const { codepage, body, message, drafts } = read;
  const text =
    textProperty(message, property.body, codepage) ??
    (body === undefined ? undefined : decode(body, codepage));
  const htmlPage = message.get(property.codepage)?.value;
  const tnef: Tnef = {
    files: drafts.flatMap((draft) => filesOf(draft, codepage, depth)),
    text: text?.trim() === '' ? undefined : text,
    html: textProperty(message, property.html, htmlPage?.length === 4 ? htmlPage.readUInt32LE(0) : codepage),
    whole,
  };
  return tnef.files.length === 0 && tnef.text === undefined && tnef.html === undefined ? undefined : tnef;
}

/** Buffer throws a RangeError when a number would be read past the end. */
function everyLengthFits(read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

interface Draft {
  title: string | undefined;
  data: Buffer | undefined;
  properties: Properties;
}

interface Read {
  codepage: number;
  body: Buffer | undefined;
  message: Properties;
  drafts: Draft[];
}

/** Fills `read` as far as the file is intact. @throws RangeError if it is truncated */
function readAttributes(file: Buffer, read: Read): void {
  for (let at = 6; at < file.length; ) {
    const id = file.readUInt32LE(at + 1);
    const data = slice(file, at + 9, file.readUInt32LE(at + 5));
    at += 9 + data.length + 2;
    const draft = read.drafts.at(-1);
    if (id === attribute.codepage) read.codepage = data.readUInt32LE(0);
    else if (id === attribute.body) read.body = data;
    else if (id === attribute.messageProperties) readProperties(data, read.message);
    else if (id === attribute.attachmentBegins) {
      if (read.drafts.length >= MAX_FILES) throw new RangeError('more files than an email has');
      read.drafts.push({ title: undefined, data: undefined, properties: new Map() });
    } else if (draft === undefined) continue;
    else if (id === attribute.attachmentTitle) draft.title = decode(data, read.codepage);
    else if (id === attribute.attachmentData) draft.data = data;
    else if (id === attribute.attachmentProperties) readProperties(data, draft.properties);
  }
}

function filesOf({ title, data, properties }: Draft, codepage: number, depth: number): TnefFile[] {
  const value = (id: number): string | undefined => textProperty(properties, id, codepage);
  const name = value(property.longName) ?? title ?? value(property.shortName) ?? value(property.displayName);
  const object = properties.get(property.data);
  // An object starts with the ID of its interface.
  const content = data ?? (object?.type === OBJECT ? object.value.subarray(16) : object?.value);
  if (content === undefined) return [];
  const message = depth < MAX_DEPTH ? readTnef(content, depth + 1) : undefined;
  if (message !== undefined) return filesOfMessage(name, message);
  return [{ name, contentType: value(property.mimeType), contentId: value(property.contentId), content }];
}

/** A forwarded message: its text as a file, and its files. */
function filesOfMessage(name: string | undefined, { text, html, files }: Omit<Tnef, 'whole'>): TnefFile[] {
  const shown = html ?? text;
  if (shown === undefined) return files;
  const [contentType, ending] = html === undefined ? ['text/plain', 'txt'] : ['text/html', 'html'];
  const file = { name: `${name ?? 'message'}.${ending}`, contentType, contentId: undefined };
  return [{ ...file, content: Buffer.from(shown) }, ...files];
}

type Properties = Map<number, { type: number; value: Buffer }>;

const OBJECT = 0x0d;
const STRING = 0x1e;
const UNICODE = 0x1f;
const BINARY = 0x102;
const MULTIPLE = 0x1000;
/** Sizes in bytes of the fixed-size types, including padding (MS-OXTNEF §2.1.3.5). */
const sizes: Readonly<Record<number, number>> = {
  2: 4,
  3: 4,
  4: 4,
  5: 8,
  6: 8,
  7: 8,
  10: 4,
  11: 4,
  20: 8,
  64: 8,
  72: 16,
};

/**
 * Encapsulated properties (MS-OXTNEF §2.1.3.4); only the first of
 * several values. @throws RangeError if truncated
 */
function readProperties(data: Buffer, properties: Properties): void {
  const count = data.readUInt32LE(0);
  if (count > MAX_PROPERTIES) throw new RangeError('more properties than a message has');
  let at = 4;
  for (let index = 0; index < count; index += 1) {
    const type = data.readUInt16LE(at);
    const id = data.readUInt16LE(at + 2);
    at += 4;
    if (id >= 0x8000) {
      // Named property: the ID of a set, then a number or a name.
      const isName = data.readUInt32LE(at + 16) === 1;
      at += isName ? 24 + padded(data.readUInt32LE(at + 20)) : 24;
    }
    const single = type & ~MULTIPLE;
    const size = sizes[single];
    const isVariable = single === OBJECT || single === STRING || single === UNICODE || single === BINARY;
    if (size === undefined && !isVariable) throw new RangeError('a property of no known type');
    const values = isVariable || single !== type ? data.readUInt32LE(at) : 1;
    if (isVariable || single !== type) at += 4;
    if (values > MAX_PROPERTIES) throw new RangeError('more values than a property has');
    for (let each = 0; each < values; each += 1) {
      const length = size ?? data.readUInt32LE(at);
      if (size === undefined) at += 4;
      const value = slice(data, at, length);
      at += padded(length);
      if (each === 0) properties.set(id, { type: single, value });
    }
  }
}

function textProperty(properties: Properties, id: number, codepage: number): string | undefined {
  const found = properties.get(id);
  if (found === undefined) return undefined;
  const text = found.type === UNICODE ? found.value.toString('utf16le') : decode(found.value, codepage);
  const plain = text.replace(/\0+$/, '');
  return plain === '' ? undefined : plain;
}

/** @throws RangeError if the file ends before */
function slice(data: Buffer, at: number, length: number): Buffer {
  if (at + length > data.length) throw new RangeError('a length exceeds the end');
  return data.subarray(at, at + length);
}

const padded = (length: number): number => Math.ceil(length / 4) * 4;

/** Encoding Standard names of the Windows code pages that are not `windows-…`. */
const charsets: Readonly<Record<number, string>> = {
  866: 'ibm866',
  932: 'shift_jis',
  936: 'gbk',
  949: 'euc-kr',
  950: 'big5',
  20866: 'koi8-r',
  28592: 'iso-8859-2',
  28605: 'iso-8859-15',
  50220: 'iso-2022-jp',
  51932: 'euc-jp',
  54936: 'gb18030',
  65001: 'utf-8',
};

function decode(bytes: Uint8Array, codepage: number): string {
  const windows =
    (codepage >= 1250 && codepage <= 1258) || codepage === 874 ? `windows-${codepage}` : undefined;
  const text = new TextDecoder(charsets[codepage] ?? windows ?? 'windows-1252').decode(bytes);
  return text.replace(/\0+$/, '');
}
