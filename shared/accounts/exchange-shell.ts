import type { CloudName } from '../providers/clouds.ts';

// https://learn.microsoft.com/powershell/exchange/connect-to-exchange-online-powershell
const environments: Readonly<Record<CloudName, string | undefined>> = {
  worldwide: undefined,
  'gcc-high': 'O365USGovGCCHigh',
  dod: 'O365USGovDoD',
  china: 'O365China',
};

/** PowerShell lines that connect an Exchange admin to the tenant. */
export function connectExchange(at: { cloud: CloudName; tenant: string | undefined }): string[] {
  const environment = environments[at.cloud];
  const connect = [
    'Connect-ExchangeOnline',
    ...(at.tenant === undefined ? [] : [`-Organization ${quoted(at.tenant)}`]),
    ...(environment === undefined ? [] : [`-ExchangeEnvironmentName ${environment}`]),
  ];
  return ['Install-Module ExchangeOnlineManagement -Scope CurrentUser', connect.join(' ')];
}

/**
 * Quotes text for PowerShell so that nothing in it is executed. Single quotes are doubled, including
 * typographic ones, which PowerShell treats as equal.
 * https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules
 */
export const quoted = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a line break would end the command
  `'${text.replaceAll(/[\u0000-\u001f\u007f]/g, '').replaceAll(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;
