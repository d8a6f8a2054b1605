// oidc-provider 9 ships no types. These are the parts used here, read from its sources (lib/provider.js,
// lib/models/, lib/helpers/defaults.js).
declare module 'oidc-provider' {
  import type { EventEmitter } from 'node:events';
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export interface AdapterPayload {
    accountId?: string;
    clientId?: string;
    grantId?: string;
    uid?: string;
    consumed?: number;
    [name: string]: unknown;
  }

  export interface Adapter {
    upsert(id: string, payload: AdapterPayload, lifeSeconds?: number): Promise<void>;
    find(id: string): Promise<AdapterPayload | undefined>;
    findByUid(uid: string): Promise<AdapterPayload | undefined>;
    findByUserCode(code: string): Promise<AdapterPayload | undefined>;
    consume(id: string): Promise<void>;
    destroy(id: string): Promise<void>;
    revokeByGrantId(grantId: string): Promise<void>;
  }

  export interface OidcError extends Error {
    error?: string;
    error_description?: string;
    error_detail?: string;
  }

  export interface StaticClient {
    clientId: string;
    compareClientSecret(value: string): Promise<boolean>;
    checkClientSecretExpiration(message: string): void;
  }

  export interface GrantInstance {
    accountId: string;
    clientId: string;
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
  }

  export interface Token {
    accountId?: string;
    scopes: Set<string>;
  }

  export interface OidcContext {
    oidc: {
      client: StaticClient;
      params?: Record<string, string | undefined>;
      prompts: Set<string>;
      session: { accountId?: string; grantIdFor(clientId: string): string | undefined };
      result?: { login?: unknown; select_account?: unknown; consent?: { grantId?: string } };
      requestParamScopes: Set<string>;
      grant?: { getResourceScopeEncountered(resource: string): string };
    };
    type: string;
    body: unknown;
    status: number;
  }

  export interface JwtParts {
    header: Record<string, unknown> | undefined;
    payload: Record<string, unknown>;
  }

  export interface InteractionDetails {
    uid: string;
    prompt: { name: string; reasons: string[] };
    params: Record<string, string | undefined>;
    session?: { accountId: string; uid?: string };
    grantId?: string;
    persist(): Promise<string>;
  }

  export class Provider extends EventEmitter {
    readonly issuer: string;
    constructor(issuer: string, configuration: Record<string, unknown>);
    proxy: boolean;
    Client: { find(id: string): Promise<StaticClient | undefined> };
    Grant: {
      new (payload: { accountId: string; clientId: string }): GrantInstance;
      find(id: string): Promise<GrantInstance | undefined>;
    };
    Session: { findByUid(uid: string): Promise<{ destroy(): Promise<void> } | undefined> };
    RefreshToken: { prototype: { consume(): Promise<void> } };
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<InteractionDetails>;
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: Record<string, unknown>,
      options: { mergeWithLastSubmission: boolean },
    ): Promise<void>;
  }

  export namespace interactionPolicy {
    class Check {
      constructor(
        reason: string,
        description: string,
        error: string,
        check: (context: OidcContext) => boolean | Promise<boolean>,
      );
    }
    class Prompt {
      constructor(
        info: { name: string; requestable: boolean },
        details: () => Record<string, unknown>,
        ...checks: Check[]
      );
      checks: { add(check: Check): void };
    }
    interface Policy {
      add(prompt: Prompt, index: number): void;
      get(name: string): Prompt | undefined;
    }
    function base(): Policy;
  }
}
