// Rows as text, in one form on both sides: what an agent holds and what the catalog answers are
// equal exactly when their texts are. Indexes do not count; absent, null and empty lists are the
// same.

import { encode } from "../model/schema.ts";
import { healthCheckFieldsSchema, nodeServiceDefinitionSchema } from "../model/schemas.ts";
import type { HealthCheckFields, NodeServiceDefinition } from "../model/types.ts";

export function serviceText(service: NodeServiceDefinition): string {
  const { Tags, Meta, TaggedAddresses } = service;
  return encode(nodeServiceDefinitionSchema, {
    ...service,
    Kind: service.Kind ?? "",
    Tags: Tags ?? [],
    Meta: Meta ?? {},
    TaggedAddresses: TaggedAddresses ?? {},
  });
}

/** `output` false leaves the output out of the comparison. */
export function checkText(check: HealthCheckFields, output: boolean): string {
  return encode(healthCheckFieldsSchema, {
    ...check,
    Output: output ? check.Output : "",
    ServiceTags: check.ServiceTags ?? [],
  });
}
