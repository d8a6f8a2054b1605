import { describe, expect, test } from 'vitest';
import { isUploadHost, offersUploads } from '../../shared/outbox/upload-hosts.ts';
import { clouds } from '../../shared/providers/clouds.ts';

const graphOf = (name: keyof typeof clouds): string => new URL(clouds[name].graph).hostname;

describe('a host that Microsoft Graph names for an upload', () => {
  test.each([
    ['worldwide', 'outlook.office.com', true],
    ['worldwide', 'OUTLOOK.office365.com', true],
    ['worldwide', 'eu.outlook.office.com', true],
    ['china', 'partner.outlook.cn', true],
    ['dod', 'outlook-dod.office365.us', true],
    ['worldwide', 'partner.outlook.cn', false],
    ['china', 'outlook.office.com', false],
    ['worldwide', 'outlook.office.com.evil.example', false],
    ['worldwide', 'myoutlook.office.com', false],
    ['worldwide', 'office.com', false],
    ['worldwide', 'graph.microsoft.com', false],
    ['worldwide', 'localhost', false],
    ['worldwide', '', false],
  ] as const)('in the cloud %s may be %s: %s', (cloud, host, may) => {
    expect(isUploadHost(host, graphOf(cloud))).toBe(may);
  });

  test('is the emulator itself where that is Microsoft Graph', () => {
    expect(isUploadHost('localhost', 'localhost')).toBe(true);
    expect(isUploadHost('127.0.0.1', 'localhost')).toBe(false);
    expect(isUploadHost('outlook.office.com', 'localhost')).toBe(false);
  });
});

test('the government clouds of the United States have no upload sessions', () => {
  const offering = (Object.keys(clouds) as (keyof typeof clouds)[]).filter((name) =>
    offersUploads(graphOf(name)),
  );
  expect(offering).toEqual(['worldwide', 'china']);
  expect(offersUploads('localhost')).toBe(true);
});
