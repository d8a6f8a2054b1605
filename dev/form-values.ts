/**
 * What a browser would send of the first form of a page that posts, if nobody changed anything. Only for pages of ours,
 * whose markup is regular.
 */
export function formValues(html: string): Record<string, string> {
  const form = /<form[^>]*method="post"[^>]*>([\s\S]*?)<\/form>/.exec(mainOf(html))?.[1] ?? '';
  const values: Record<string, string> = {};
  for (const [tag] of form.matchAll(/<input\b[^>]*>/g)) {
    const { name, value, type } = attributesOf(tag);
    const chosen = type !== 'radio' && type !== 'checkbox';
    if (name !== undefined && (chosen || /\schecked\b/.test(tag)))
      values[name] = value ?? (chosen ? '' : 'on');
  }
  for (const [, head = '', inside = ''] of form.matchAll(/<select\b([^>]*)>([\s\S]*?)<\/select>/g)) {
    const { name } = attributesOf(head);
    const options = [...inside.matchAll(/<option\b[^>]*>/g)].map(([tag]) => tag);
    const option = options.find((tag) => /\sselected\b/.test(tag)) ?? options[0];
    if (name !== undefined && option !== undefined) values[name] = attributesOf(option).value ?? '';
  }
  return values;
}

/** The form of signing out stands above. */
const mainOf = (html: string): string => /<main[\s\S]*<\/main>/.exec(html)?.[0] ?? html;

function attributesOf(tag: string): Record<'name' | 'value' | 'type', string | undefined> {
  const of = (name: string): string | undefined =>
    new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]?.replaceAll('&quot;', '"').replaceAll('&amp;', '&');
  return { name: of('name'), value: of('value'), type: of('type') };
}
