// How routes are described: what each asks for and answers. Descriptions are data beside the areas they describe; the
// document (`document.ts`), the types of areas (`AreaOf`) and those of the client (`src/client`) follow from them.

import type { Field, Type } from "../../core/model/schema.ts";
import type { Endpoint, Handler, Method } from "../endpoint.ts";

/** What JSON looks like: the schemas that encode and decode it, and what only an answer can be. */
export type Shape =
  | Type
  /** Never null, unlike those of {@link Type}. */
  | { readonly kind: "items"; readonly item: Shape }
  | { readonly kind: "members"; readonly value: Shape }
  | { readonly kind: "object"; readonly fields: Readonly<Record<string, ShapeField>> }
  | { readonly kind: "union"; readonly of: readonly Shape[] }
  | { readonly kind: "word"; readonly words: readonly string[] }
  | { readonly kind: "nothing" };

export type ShapeField = Field | { readonly type: Shape; readonly omitEmpty?: true };

/** A query parameter. */
export interface Parameter {
  readonly shape: Shape | Presence;
  readonly description: string;
  readonly required?: true;
  /** May be given several times. */
  readonly repeated?: true;
}

/** Of a parameter that says something by being there, whatever its value. */
export interface Presence {
  readonly kind: "presence";
}

export type Parameters = Readonly<Record<string, Parameter>>;

/** What a body is, there or back. */
export type Content =
  | { readonly as: "json"; readonly shape: Shape; readonly description?: string }
  | { readonly as: "text" | "bytes" | "stream" | "empty"; readonly description?: string }
  /** Of a media type of its own. */
  | { readonly as: "text" | "bytes"; readonly type: string; readonly description?: string };

export interface Body {
  readonly content: Content;
  /** Without one it means something, too. */
  readonly optional?: true;
  /** Unknown members pass, instead of being refused. */
  readonly lenient?: true;
}

export interface Operation {
  readonly summary: string;
  readonly description?: string;
  /** What the parts of the path in braces are. */
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Parameters;
  readonly body?: Body;
  /** By status; what is not listed is an error in plain text. */
  readonly answers: Readonly<Record<number, Content>>;
  /** What 200 answers instead, when a query parameter is there. */
  readonly when?: Readonly<Record<string, Content>>;
  /** Answers carry an index that may be waited for. */
  readonly indexed?: true;
  /** No token is looked at. */
  readonly isPublic?: true;
}

/** By path, with braces around what an endpoint is about. Several may be of one: `/a/{id}` and `/a/{id}/b`. */
export type Routes = Readonly<Record<string, Readonly<Partial<Record<Method, Operation>>>>>;

/** Where an endpoint is mounted whose path has this template. */
export type MountOf<Template extends string> = Template extends `${infer Start}{${string}`
  ? Start
  : Template;

type MethodsAt<Described, Mount> = {
  [Template in keyof Described & string]: MountOf<Template> extends Mount
    ? keyof Described[Template] & Method
    : never;
}[keyof Described & string];

/** The area that serves exactly what is described. */
export type AreaOf<Described extends Routes> = {
  readonly [Mount in MountOf<keyof Described & string>]: Readonly<
    Record<MethodsAt<Described, Mount>, Handler>
  > &
    Pick<Endpoint, Exclude<keyof Endpoint, Method>>;
};

/** {@link MountOf} of a text. */
export function mountOf(template: string): string {
  const at = template.indexOf("{");
  return at < 0 ? template : template.slice(0, at);
}

// Short words for what most routes have.

export const json = <const Given extends Shape>(shape: Given, description?: string) =>
  ({ as: "json", shape, ...(description !== undefined && { description }) }) as const;

export const items = <const Item extends Shape>(item: Item) => ({ kind: "items", item }) as const;

export const members = <const Value extends Shape>(value: Value) =>
  ({ kind: "members", value }) as const;

export const union = <const Of extends readonly Shape[]>(...of: Of) =>
  ({ kind: "union", of }) as const;

export const words = <const Words extends readonly string[]>(...given: Words) =>
  ({ kind: "word", words: given }) as const;

export const object = <const Fields extends Readonly<Record<string, ShapeField>>>(fields: Fields) =>
  ({ kind: "object", fields }) as const;

export const field = <const Given extends Shape>(type: Given) => ({ type }) as const;

export const nothing = { as: "empty" } as const satisfies Content;
export const plainText = { as: "text" } as const satisfies Content;
export const done = json({ kind: "boolean" }, "Whether it was done.");
