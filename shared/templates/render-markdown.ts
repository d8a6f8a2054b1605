import type MarkdownIt from 'markdown-it';
import { loadSanitiser, sanitiserRules } from '../tickets/mail-html.ts';
import { textOfMarkdown } from './markdown-text.ts';
import {
  fillTemplate,
  type TemplatePiece,
  type TemplateValues,
  type TemplateVariable,
  templateVariables,
} from './template.ts';

export interface RenderedText {
  text: string;
  /** Sanitized; a fragment without `html` and `body`. */
  html: string;
}

/** Longest Markdown that is rendered. The slowest text of this length takes about a second. */
export const MAX_MARKDOWN = 50_000;

/**
 * Renders what a person wrote in Markdown (https://spec.commonmark.org) as text and as HTML. HTML in it is
 * shown as written. A line break stays one, as in an email.
 * @param source at most `MAX_MARKDOWN` characters; the rest is left out
 */
export const renderMarkdown = (source: string): Promise<RenderedText> => render(source.replace(MARKS, ''));

/**
 * Renders a template. Values are never read as Markdown or HTML: a subject with a link in it stays text.
 * @param pieces as returned by `parseTemplate`
 */
export async function renderTemplate(
  pieces: readonly TemplatePiece[],
  values: TemplateValues,
): Promise<RenderedText> {
  const unmarked = pieces.map((piece) => ('text' in piece ? { text: piece.text.replace(MARKS, '') } : piece));
  const { text, html } = await render(fillTemplate(unmarked, values, markOf));
  return {
    text: replaceMarks(text, values, (value) => value),
    html: replaceMarks(html, values, (value) => escapeHtml(value).replaceAll('\n', '<br>')),
  };
}

// A variable passes through the library as one character of the private use area, which is percent-encoded in
// the address of a link.
const FIRST_MARK = 0xe000;
const MARKS = /[\ue000-\ue0ff]/g;
const markOf = (variable: TemplateVariable): string =>
  String.fromCharCode(FIRST_MARK + templateVariables.indexOf(variable));

/** Replaces all at once, so that no value is searched for marks. A URL gets the value percent-encoded. */
const replaceMarks = (rendered: string, values: TemplateValues, write: (value: string) => string): string =>
  rendered.replace(/([\ue000-\ue0ff])|(%EE%80%[89AB][0-9A-F])/g, (found, mark: string | undefined) => {
    const code = (mark ?? decodeURIComponent(found)).charCodeAt(0);
    const variable = templateVariables[code - FIRST_MARK];
    if (variable === undefined) return found;
    return mark === undefined ? encodeURIComponent(values[variable].toWellFormed()) : write(values[variable]);
  });

async function render(source: string): Promise<RenderedText> {
  const [library, sanitise] = await Promise.all([loadLibrary(), loadSanitiser()]);
  const tokens = library.parse(source.slice(0, MAX_MARKDOWN).toWellFormed(), {});
  const html = library.renderer.render(tokens, library.options, {});
  // The library escapes HTML and refuses `javascript:` already: the sanitizer is the second defense.
  return { text: textOfMarkdown(tokens), html: sanitise(html, sanitiserRules).trim() };
}

type Library = InstanceType<typeof MarkdownIt>;
let loaded: Library | undefined;

/** Loaded on first use: most requests and runs render nothing. */
async function loadLibrary(): Promise<Library> {
  if (loaded !== undefined) return loaded;
  const { default: Markdown } = await import('markdown-it');
  loaded = new Markdown({ breaks: true, html: false, linkify: true });
  // A word with a dot, such as a file name, is no address of a page.
  loaded.linkify.set({ fuzzyLink: false });
  return loaded;
}

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
