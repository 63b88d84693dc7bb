// What the compiler knows of requests and answers, from the descriptions of routes. Nothing here exists at run time,
// and nothing is generated: the schemas that encode and decode are the types.

import type { DescribedRoutes } from "../api/openapi/routes/index.ts";

/** JSON as it is answered. */
export type Written<Shape> = Shape extends { kind: "string" }
  ? string
  : Shape extends { kind: "boolean" }
    ? boolean
    : Shape extends { kind: "integer" | "float" | "uint64" }
      ? number
      : Shape extends { kind: "duration"; written: infer As }
        ? As extends "text"
          ? string
          : number
        : Shape extends { kind: "bytes" }
          ? string | null
          : Shape extends { kind: "word"; words: readonly (infer Word)[] }
            ? Word
            : Shape extends { kind: "nothing" }
              ? null
              : Shape extends { kind: "union"; of: readonly (infer Each)[] }
                ? Written<Each>
                : WrittenInside<Shape>;

type WrittenInside<Shape> = Shape extends { kind: "items"; item: infer Item }
  ? Written<Item>[]
  : Shape extends { kind: "list"; item: infer Item }
    ? Written<Item>[] | null
    : Shape extends { kind: "members"; value: infer Value }
      ? Record<string, Written<Value>>
      : Shape extends { kind: "map"; value: infer Value }
        ? Record<string, Written<Value>> | null
        : Shape extends { fields: infer Fields }
          ? WrittenFields<Fields> | (Shape extends { nullable: true } ? null : never)
          : unknown;

type WrittenFields<Fields> = {
  [Name in keyof Fields as Fields[Name] extends { omitEmpty: true } ? never : Name]: Written<
    TypeOf<Fields[Name]>
  >;
} & {
  [Name in keyof Fields as Fields[Name] extends { omitEmpty: true } ? Name : never]?: Written<
    TypeOf<Fields[Name]>
  >;
};

type TypeOf<Field> = Field extends { type: infer Type } ? Type : never;

/** JSON as it is read: what is left out is zero, and durations may be text (`1m30s`) or nanoseconds. */
export type Given<Shape> = Shape extends { kind: "duration" }
  ? string | number
  : Shape extends { kind: "list" | "items"; item: infer Item }
    ? readonly Given<Item>[] | null
    : Shape extends { kind: "map" | "members"; value: infer Value }
      ? Readonly<Record<string, Given<Value>>> | null
      : Shape extends { kind: "union"; of: readonly (infer Each)[] }
        ? Given<Each>
        : Shape extends { fields: infer Fields }
          ? | { readonly [Name in keyof Fields]?: Given<TypeOf<Fields[Name]>> }
            | (Shape extends { nullable: true } ? null : never)
          : Written<Shape>;

export type Method = "GET" | "PUT" | "POST" | "DELETE";

type OperationAt<Path, Of> = Path extends keyof DescribedRoutes
  ? Of extends keyof DescribedRoutes[Path]
    ? DescribedRoutes[Path][Of]
    : never
  : never;

/** Paths that have a method, and answer as `Like` says. */
export type PathsOf<Of extends Method, Like = { answers: { 200: { as: Finite } } }> = {
  [Path in keyof DescribedRoutes]: OperationAt<Path, Of> extends never
    ? never
    : OperationAt<Path, Of> extends Like
      ? Path
      : never;
}[keyof DescribedRoutes];

type Finite = "json" | "text" | "bytes" | "empty";

/** What can be waited for. */
export interface Indexed {
  indexed: true;
}

export interface Endless {
  answers: { 200: { as: "stream" } };
}

type Value<Parameter> = Parameter extends { repeated: true; shape: infer Shape }
  ? readonly Written<Shape>[]
  : Parameter extends { shape: { kind: "presence" } }
    ? true
    : Parameter extends { shape: { kind: "uint64" } }
      ? number | bigint | string
      : Parameter extends { shape: infer Shape }
        ? Written<Shape>
        : never;

type QueryOf<Parameters> = {
  readonly [
    Name in keyof Parameters as Parameters[Name] extends { required: true } ? Name : never
  ]: Value<Parameters[Name]>;
} & {
  readonly [
    Name in keyof Parameters as Parameters[Name] extends { required: true } ? never : Name
  ]?: Value<Parameters[Name]>;
};

type BodyOf<Content> = Content extends { as: "json"; shape: infer Shape }
  ? Given<Shape>
  : string | Uint8Array<ArrayBuffer>;

export interface Common {
  /** Ends the request; `AbortSignal.timeout(ms)` is a deadline. */
  readonly signal?: AbortSignal;
  /** Instead of the client's. */
  readonly token?: string;
}

type Part<Name extends string, Value, IsOptional = false> = IsOptional extends true
  ? { readonly [Each in Name]?: Value }
  : { readonly [Each in Name]: Value };

/** What an operation takes. */
export type Parameters<Path, Of extends Method> = ParametersOf<OperationAt<Path, Of>>;

type ParametersOf<Operation> = Others<Operation> & QueryPart<Operation>;

/** All but the query. */
type Others<Operation> = Common &
  (Operation extends { path: infer Names }
    ? Part<"path", { readonly [Name in keyof Names]: string }>
    : unknown) &
  (Operation extends { body: { content: infer Content } }
    ? Part<"body", BodyOf<Content>, Operation extends { body: { optional: true } } ? true : false>
    : unknown);

type QueryPart<Operation> =
  object extends QueryIn<Operation>
    ? Part<"query", QueryIn<Operation>, true>
    : Part<"query", QueryIn<Operation>>;

type QueryIn<Operation> = Operation extends { query: infer Names } ? QueryOf<Names> : object;

export type QueryAt<Path, Of extends Method> = QueryIn<OperationAt<Path, Of>>;

/** {@link Parameters} whose query is known to the letter, because answers may depend on it. */
export type Asking<Path, Of extends Method, Query> = Others<OperationAt<Path, Of>> &
  (object extends QueryAt<Path, Of> ? unknown : { readonly query: unknown }) & {
    readonly query?: Query & {
      readonly [Name in Exclude<keyof Query, keyof QueryAt<Path, Of>>]: never;
    };
  };

/** Paths that need no parameters. */
export type BarePathsOf<Of extends Method, Like = { answers: { 200: { as: Finite } } }> = {
  [Path in PathsOf<Of, Like>]: object extends Parameters<Path, Of> ? Path : never;
}[PathsOf<Of, Like>];

type Found<Content> = Content extends { as: "json"; shape: infer Shape }
  ? Written<Shape>
  : Content extends { as: "empty" }
    ? undefined
    : string;

/** The body of an answer; a query parameter may make it another one. `Query` is never where there is none. */
export type Body<Path, Of extends Method, Query = never> = BodyWith<
  OperationAt<Path, Of>,
  [Query] extends [never] ? never : keyof Query
>;

type BodyWith<Operation, Asked> = Operation extends { when: infer When }
  ? [Asked & keyof When] extends [never]
    ? BodyOf200<Operation>
    : Found<When[Asked & keyof When]>
  : BodyOf200<Operation>;

type BodyOf200<Operation> = Operation extends { answers: { 200: infer Content } }
  ? Found<Content>
  : never;

/** JSON of an answer that is a refusal. */
export type RefusedBody<Path, Of extends Method> =
  OperationAt<Path, Of> extends { answers: infer Answers }
    ? {
        [Status in keyof Answers]: Status extends 200
          ? never
          : Answers[Status] extends { as: "json"; shape: infer Shape }
            ? Written<Shape>
            : never;
      }[keyof Answers]
    : never;

/** What headers say about an answer; null where they say nothing. */
export interface Meta {
  /** What to wait with for something newer; text, because it may be larger than a number. */
  readonly index: string | null;
  readonly knownLeader: boolean | null;
  readonly lastContactMs: number | null;
}

export interface Success<Content> {
  readonly ok: true;
  readonly status: number;
  readonly body: Content;
  /** The body as it came. */
  readonly bytes: Uint8Array;
  readonly meta: Meta;
}

export interface Refusal<Content> {
  readonly ok: false;
  readonly status: number;
  /** What is wrong, in Consul's words. */
  readonly text: string;
  /** Where the refusal is JSON. */
  readonly body: Content | undefined;
  readonly meta: Meta;
}

export type Answer<Path, Of extends Method, Query = never> =
  | Success<Body<Path, Of, Query>>
  | Refusal<RefusedBody<Path, Of>>;
