import { quoted } from './imap-command.ts';
import { countLines, type Entity, type Header, headerValue, readParameters } from './mime-structure.ts';

/** ENVELOPE of RFC 3501 §7.4.2. */
export function envelope({ headers }: Entity): string {
  const from = addresses(headerValue(headers, 'from'));
  const or = (name: string) => {
    const text = headerValue(headers, name);
    return text === undefined || text === '' ? from : addresses(text);
  };
  const fields = [
    quoted(headerValue(headers, 'date')),
    quoted(headerValue(headers, 'subject')),
    from,
    or('sender'),
    or('reply-to'),
    addresses(headerValue(headers, 'to')),
    addresses(headerValue(headers, 'cc')),
    addresses(headerValue(headers, 'bcc')),
    quoted(headerValue(headers, 'in-reply-to')),
    quoted(headerValue(headers, 'message-id')),
  ];
  return `(${fields.join(' ')})`;
}

/** BODYSTRUCTURE with its extension data, or BODY without. */
export function bodyStructure(raw: Buffer, entity: Entity, extended: boolean): string {
  const { headers, type, subtype, children } = entity;
  const disposition = headerValue(headers, 'content-disposition');
  const extension = [dispositionField(disposition), 'NIL', 'NIL'];
  if (type === 'multipart' && children.length > 0) {
    const parts = children.map((child) => bodyStructure(raw, child, extended)).join('');
    const more = extended ? [parameterList(entity.parameters), ...extension] : [];
    return `(${[parts, quoted(subtype.toUpperCase()), ...more].join(' ')})`;
  }
  const fields = [
    quoted(type.toUpperCase()),
    quoted(subtype.toUpperCase()),
    parameterList(entity.parameters),
    quoted(headerValue(headers, 'content-id')),
    quoted(headerValue(headers, 'content-description')),
    quoted((headerValue(headers, 'content-transfer-encoding') ?? '7BIT').toUpperCase()),
    String(entity.end - entity.bodyStart),
  ];
  if (entity.inner !== undefined) {
    fields.push(envelope(entity.inner), bodyStructure(raw, entity.inner, extended));
  }
  if (type === 'text' || entity.inner !== undefined) {
    fields.push(String(countLines(raw, entity.bodyStart, entity.end)));
  }
  if (extended) fields.push(quoted(headerValue(headers, 'content-md5')), ...extension);
  return `(${fields.join(' ')})`;
}

/** Bytes of a section such as ``, `HEADER`, `1.2`, `2.MIME`, `HEADER.FIELDS (DATE)`; undefined: no such part. */
export function section(raw: Buffer, root: Entity, name: string): Buffer | undefined {
  const { path = '', rest = '' } = /^(?<path>\d+(?:\.\d+)*)?\.?(?<rest>.*)$/s.exec(name)?.groups ?? {};
  if (path === '') return rest === '' ? raw.subarray(root.start, root.end) : textSection(raw, root, rest);
  const part = findPart(root, path.split('.').map(Number));
  if (part === undefined) return undefined;
  if (rest === '') return raw.subarray(part.bodyStart, part.end);
  if (rest.toUpperCase() === 'MIME') return raw.subarray(part.start, part.bodyStart);
  return part.inner === undefined ? undefined : textSection(raw, part.inner, rest);
}

function textSection(raw: Buffer, entity: Entity, rest: string): Buffer | undefined {
  if (/^TEXT$/i.test(rest)) return raw.subarray(entity.bodyStart, entity.end);
  if (/^HEADER$/i.test(rest)) return raw.subarray(entity.start, entity.bodyStart);
  const fields = /^HEADER\.FIELDS(\.NOT)?\s*\(([^)]*)\)$/i.exec(rest);
  if (fields === null) return undefined;
  const names = new Set((fields[2] ?? '').replaceAll('"', '').toLowerCase().split(/\s+/));
  const inverted = fields[1] !== undefined;
  const chosen = entity.headers.filter(({ name }) => names.has(name.toLowerCase()) !== inverted);
  return Buffer.from(`${chosen.map(({ raw: text }: Header) => text).join('')}\r\n`, 'latin1');
}

/** An email without parts is its own part 1 (RFC 3501 §6.4.5). */
function findPart(root: Entity, path: readonly number[]): Entity | undefined {
  let part: Entity | undefined = root;
  for (const number of path) {
    const holder: Entity | undefined = part?.inner ?? part;
    if (holder === undefined) return undefined;
    part = holder.children.length > 0 ? holder.children[number - 1] : number === 1 ? holder : undefined;
  }
  return part;
}

function parameterList(parameters: ReadonlyMap<string, string>): string {
  if (parameters.size === 0) return 'NIL';
  const pairs = [...parameters].map(([name, value]) => `${quoted(name.toUpperCase())} ${quoted(value)}`);
  return `(${pairs.join(' ')})`;
}

function dispositionField(text: string | undefined): string {
  if (text === undefined) return 'NIL';
  const { value, parameters } = readParameters(text);
  return `(${quoted(value.toLowerCase())} ${parameterList(parameters)})`;
}

/** Addresses as the four fields of RFC 3501. Enough for demo mail: groups come out as their members. */
function addresses(text: string | undefined): string {
  const list = (text ?? '').match(/(?:"(?:[^"\\]|\\.)*"|\([^)]*\)|[^,])+/g) ?? [];
  const fields = list.map(address).filter((field) => field !== undefined);
  return fields.length === 0 ? 'NIL' : `(${fields.join('')})`;
}

function address(text: string): string | undefined {
  const bracketed = /^(.*)<([^<>]*)>/s.exec(text);
  const name = bracketed?.[1]
    ?.trim()
    .replace(/^"(.*)"$/s, '$1')
    .replace(/\\(.)/g, '$1');
  const bare = (bracketed?.[2] ?? text).replace(/\([^)]*\)/g, '').trim();
  if (bare === '') return undefined;
  const at = bare.lastIndexOf('@');
  const [local, domain] = at < 0 ? [bare, ''] : [bare.slice(0, at), bare.slice(at + 1)];
  return `(${quoted(name === '' ? undefined : name)} NIL ${quoted(local)} ${quoted(domain)})`;
}
