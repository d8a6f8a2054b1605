/** Rendered Markdown as plain text: marks of emphasis are removed, lists and quotations keep theirs. */
import type { Token } from 'markdown-it';

/** A block that is not closed yet, with the texts of what it contains. */
interface Block {
  type: string;
  parts: string[];
  /** Of a list: its items follow each other without an empty line. */
  isTight: boolean;
  /** Of a list: the number of its next item; undefined for bullets. */
  next: number | undefined;
}

const separators: Readonly<Record<string, string>> = {
  table: '\n',
  thead: '\n',
  tbody: '\n',
  tr: ' | ',
};

/**
 * Pure.
 * @param tokens in the order of the document, as the library returns them
 */
export function textOfMarkdown(tokens: readonly Token[]): string {
  const open: Block[] = [blockOf('document')];
  const add = (text: string): void => {
    open.at(-1)?.parts.push(text);
  };
  for (const token of tokens) {
    if (token.nesting === 1) {
      const type = token.type.replace(/_open$/, '');
      open.push(blockOf(type, type === 'ordered_list' ? Number(token.attrGet('start') ?? 1) : undefined));
      // The library hides the paragraphs of a list whose items follow each other directly.
      if (token.hidden) for (const block of open.slice(-3)) block.isTight = true;
    } else if (token.nesting === -1) {
      const closed = open.pop();
      const around = open.at(-1);
      if (closed !== undefined && around !== undefined) add(textOfBlock(closed, around));
    } else if (token.type === 'inline') add(inlineText(token.children ?? []));
    else if (token.type === 'hr') add('----------');
    else add(token.content.trimEnd().replace(/^/gm, '    '));
  }
  return (open[0]?.parts ?? []).join('\n\n').trim();
}

const blockOf = (type: string, next?: number): Block => ({ type, parts: [], isTight: false, next });

function textOfBlock({ type, parts, isTight }: Block, around: Block): string {
  const text = parts.join(separators[type] ?? (isTight ? '\n' : '\n\n'));
  if (type === 'blockquote') return text.replace(/^/gm, '> ');
  if (type !== 'list_item') return text;
  const mark = around.next === undefined ? '- ' : `${around.next}. `;
  if (around.next !== undefined) around.next += 1;
  return mark + text.replaceAll('\n', `\n${' '.repeat(mark.length)}`);
}

/** A link is followed by its address, unless it is its own label. */
function inlineText(tokens: readonly Token[]): string {
  const links: { href: string; start: number }[] = [];
  let text = '';
  for (const token of tokens) {
    if (token.type === 'link_open')
      links.push({ href: String(token.attrGet('href') ?? ''), start: text.length });
    else if (token.type === 'link_close') {
      const { href = '', start = 0 } = links.pop() ?? {};
      const label = text.slice(start);
      if (label !== href && `mailto:${label}` !== href) text += ` <${href}>`;
    } else if (token.type === 'softbreak' || token.type === 'hardbreak') text += '\n';
    else text += token.content;
  }
  return text;
}
