// Binding rules: whether one can be kept, and what the rules of a method grant to an identity.

import { ServiceError } from "../errors.ts";
import { compileExpression, SyntaxFault as FilterFault } from "../filter/filter.ts";
import {
  compileInterpolation,
  EvaluationFault,
  SyntaxFault,
} from "../interpolation/interpolation.ts";
import type { Identity } from "./identity.ts";
import { selectable, variableNames } from "./identity.ts";
import type { AuthMethod, BindingRule } from "./types.ts";

const identityName = /^[a-z0-9]([a-z0-9\-_]*[a-z0-9])?$/;
const roleName = /^[A-Za-z0-9\-_]+$/;
const nameLengthMax = 256;

const namePatterns = { service: identityName, node: identityName, role: roleName } as const;
type BindType = keyof typeof namePatterns;

/** What a login is granted: names of services and nodes that it is, and of roles that it has. */
export type Bindings = Record<BindType, string[]>;

/** Throws ServiceError, in Consul's order, for a rule that `method` cannot have. */
export function checkBindingRule(rule: BindingRule, method: AuthMethod): void {
  const { Selector: selector, BindType: type, BindName: name } = rule;
  if (selector !== "") checkSelector(selector, method);
  if (type === "") refuseRule("no BindType is set");
  if (name === "") refuseRule("no BindName is set");
  if (!isBindType(type)) return refuseRule(`unknown BindType ${JSON.stringify(type)}`);
  const variables = new Map(variableNames(method).map((known) => [known, "fake"]));
  let computed: string;
  try {
    computed = interpolated(name, variables);
  } catch (failure) {
    if (!isInterpolationFault(failure)) throw failure;
    return refuseRule(`invalid BindName: ${failure.message}`);
  }
  if (!isName(type, computed)) refuseRule("invalid BindName");
}

function checkSelector(selector: string, method: AuthMethod): void {
  try {
    compileExpression(selector, selectable(method));
  } catch (failure) {
    if (!(failure instanceof FilterFault)) throw failure;
    const message = `invalid Binding Rule: Selector is invalid: ${failure.message}`;
    throw new ServiceError("invalid", message);
  }
}

/** Of the rules that select the identity. Throws ServiceError when a name comes out as none. */
export function bindingsOf(
  rules: readonly BindingRule[],
  method: Pick<AuthMethod, "Type">,
  { fields, variables }: Identity,
): Bindings {
  const bindings: Bindings = { service: [], node: [], role: [] };
  const lowered = new Map([...variables].map(([name, value]) => [name, value.toLowerCase()]));
  for (const { Selector: selector, BindType: type, BindName: name } of rules) {
    if (!selects(selector, method, fields) || !isBindType(type)) continue;
    const computed = bindName(type, name, lowered);
    if (!bindings[type].includes(computed)) bindings[type].push(computed);
  }
  return bindings;
}

/** A selector that no longer fits the method selects nobody. */
function selects(
  selector: string,
  method: Pick<AuthMethod, "Type">,
  fields: Identity["fields"],
): boolean {
  if (selector === "") return true;
  try {
    return compileExpression(selector, selectable(method))(fields);
  } catch (failure) {
    if (failure instanceof FilterFault) return false;
    throw failure;
  }
}

function bindName(type: BindType, name: string, variables: ReadonlyMap<string, string>): string {
  let computed: string;
  try {
    computed = interpolated(name, variables);
  } catch (failure) {
    if (!isInterpolationFault(failure)) throw failure;
    const message = `cannot compute "${type}" bind name for bind target: ${failure.message}`;
    throw new ServiceError("invalid", message);
  }
  if (isName(type, computed)) return computed;
  const text = JSON.stringify(computed);
  throw new ServiceError(
    "invalid",
    `computed "${type}" bind name for bind target is invalid: ${text}`,
  );
}

function interpolated(text: string, variables: ReadonlyMap<string, string>): string {
  if (!text.includes("${")) return text;
  return compileInterpolation(text)({ variables, functions: new Map() });
}

function isInterpolationFault(failure: unknown): failure is Error {
  return failure instanceof SyntaxFault || failure instanceof EvaluationFault;
}

function isBindType(type: string): type is BindType {
  return Object.hasOwn(namePatterns, type);
}

function isName(type: BindType, name: string): boolean {
  return name.length <= nameLengthMax && namePatterns[type].test(name);
}

function refuseRule(problem: string): never {
  throw new ServiceError("invalid", `Invalid Binding Rule: ${problem}`);
}
