/** Where the parts of an email stand in its bytes, for BODYSTRUCTURE and partial fetches. */
export interface Entity {
  readonly start: number;
  /** First byte after the empty line that ends the header. */
  readonly bodyStart: number;
  readonly end: number;
  readonly headers: readonly Header[];
  readonly type: string;
  readonly subtype: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly children: readonly Entity[];
  /** The mail inside a message/rfc822. */
  readonly inner?: Entity;
}

export interface Header {
  readonly name: string;
  /** Unfolded, Latin-1. */
  readonly value: string;
  /** With its folds and its line end. */
  readonly raw: string;
}

const deepest = 50;

export function readEntity(raw: Buffer, start = 0, end = raw.length, depth = 0): Entity {
  const bodyStart = endOfHeader(raw, start, end);
  const headers = readHeaders(raw.toString('latin1', start, bodyStart));
  const contentType = readParameters(headerValue(headers, 'content-type') ?? 'text/plain; charset=us-ascii');
  const [type = 'text', subtype = 'plain'] = contentType.value.toLowerCase().split('/');
  const own = { start, bodyStart, end, headers, type, subtype, parameters: contentType.parameters };
  const boundary = contentType.parameters.get('boundary');
  if (type === 'multipart' && boundary !== undefined && depth < deepest) {
    const children = splitAt(raw, bodyStart, end, boundary);
    return { ...own, children: children.map(([from, to]) => readEntity(raw, from, to, depth + 1)) };
  }
  if (type === 'message' && subtype === 'rfc822' && depth < deepest) {
    return { ...own, children: [], inner: readEntity(raw, bodyStart, end, depth + 1) };
  }
  return { ...own, children: [] };
}

export function headerValue(headers: readonly Header[], name: string): string | undefined {
  return headers.find((header) => header.name.toLowerCase() === name)?.value;
}

/** `value; name="text"; other=token` taken apart; names in small letters. */
export function readParameters(text: string): { value: string; parameters: ReadonlyMap<string, string> } {
  const value = /^[^;]*/.exec(text)?.[0].trim() ?? '';
  const parameters = new Map<string, string>();
  for (const [, name = '', quotedText, token] of text.matchAll(
    /;\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))/g,
  )) {
    parameters.set(name.toLowerCase(), quotedText?.replace(/\\(.)/g, '$1') ?? token?.trim() ?? '');
  }
  return { value, parameters };
}

/** Number of lines, as BODYSTRUCTURE counts them. */
export function countLines(raw: Buffer, start: number, end: number): number {
  let lines = 0;
  for (let at = raw.indexOf(0x0a, start); at >= 0 && at < end; at = raw.indexOf(0x0a, at + 1)) lines++;
  return lines;
}

function endOfHeader(raw: Buffer, start: number, end: number): number {
  for (let line = start; line < end; ) {
    const newline = raw.indexOf(0x0a, line);
    if (newline < 0 || newline >= end) return end;
    if (newline === line || (newline === line + 1 && raw[line] === 0x0d)) return newline + 1;
    line = newline + 1;
  }
  return end;
}

function readHeaders(block: string): Header[] {
  const headers: Header[] = [];
  for (const raw of block.split(/(?<=\n)(?![ \t])/)) {
    const colon = raw.indexOf(':');
    if (colon <= 0) continue;
    const value = raw.slice(colon + 1).replace(/\r?\n(?=[ \t])/g, '');
    headers.push({ name: raw.slice(0, colon).trimEnd(), value: value.trim(), raw });
  }
  return headers;
}

/** The byte ranges between boundary lines; the line end before a boundary belongs to the boundary. */
function splitAt(raw: Buffer, start: number, end: number, boundary: string): [number, number][] {
  const mark = Buffer.from(`--${boundary}`, 'latin1');
  const parts: [number, number][] = [];
  let open: number | undefined;
  for (let at = raw.indexOf(mark, start); at >= 0 && at < end; at = raw.indexOf(mark, at + 1)) {
    if (at !== start && raw[at - 1] !== 0x0a) continue;
    const newline = raw.indexOf(0x0a, at);
    const lineEnd = newline < 0 || newline >= end ? end : newline + 1;
    const tail = raw.toString('latin1', at + mark.length, lineEnd).trim();
    if (tail !== '' && tail !== '--') continue;
    if (open !== undefined) parts.push([open, Math.max(open, at - (raw[at - 2] === 0x0d ? 2 : 1))]);
    open = lineEnd;
    if (tail === '--') return parts;
  }
  if (open !== undefined) parts.push([open, end]);
  return parts;
}
