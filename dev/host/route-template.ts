/**
 * The host matches functions in the order of their names, ignoring case, and takes the first whose route
 * fits; a literal route has no priority over a parameter.
 * https://github.com/Azure/azure-functions-host/issues/3153
 */
export function inRouteOrder<T extends { name: string }>(functions: readonly T[]): T[] {
  return functions.toSorted((a, b) => {
    const [left, right] = [a.name.toUpperCase(), b.name.toUpperCase()];
    return left < right ? -1 : left > right ? 1 : 0;
  });
}

const CONSTRAINTS: Readonly<Record<string, string>> = {
  int: '-?\\d+',
  long: '-?\\d+',
  bool: 'true|false',
  alpha: '[A-Za-z]+',
  guid: '[0-9A-Fa-f-]{36}',
};

/**
 * An ASP.NET route template as a pattern over paths: `{id}`, `{id?}`, `{id:int}`, `{*rest}`.
 * @throws Error for an unknown constraint
 */
export function routePattern(prefix: string, template: string): URLPattern {
  const whole = [prefix, template].filter((part) => part !== '').join('/');
  const segments = whole.split('/').filter((segment) => segment !== '');
  const pathname = segments.map((segment) => segmentPattern(segment, whole)).join('');
  return new URLPattern({ pathname: pathname === '' ? '/' : pathname }, { ignoreCase: true });
}

function segmentPattern(segment: string, whole: string): string {
  const rest = /^\{\*{1,2}(\w+)\}$/.exec(segment);
  if (rest !== null) return `/:${rest[1]}(.*)?`;
  const parameter = /^\{(\w+)(?::(\w+))?(\?)?\}$/.exec(segment);
  if (parameter === null) return `/${segment}`;
  const [, name, constraint, optional] = parameter;
  if (constraint === undefined) return `/:${name}${optional ?? ''}`;
  const pattern = CONSTRAINTS[constraint];
  if (pattern === undefined)
    throw new Error(
      `The route ${whole} has the constraint ${constraint}, which the local host does not know.`,
    );
  return `/:${name}(${pattern})${optional ?? ''}`;
}
