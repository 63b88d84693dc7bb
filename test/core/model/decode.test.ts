// Answers of Consul 1.8.7 to bodies of `PUT /v1/catalog/register` and others.

import { describe, expect, test } from "vitest";
import { decodeBody, firstBadBase64 } from "../../../src/core/model/decode.ts";
import { encode, float } from "../../../src/core/model/schema.ts";
import type { StructType, Type } from "../../../src/core/model/schema.ts";
import {
  deregistrationSchema,
  kvEntrySchema,
  nodeServiceDefinitionSchema,
  registrationSchema,
  sessionDefinitionSchema,
} from "../../../src/core/model/schemas.ts";
import { txnRequestSchema } from "../../../src/core/model/txn-request.ts";

const refusals: [schema: Type, body: string, message: string][] = [
  [registrationSchema, "", "EOF"],
  [registrationSchema, "   ", "EOF"],
  [registrationSchema, "{", "unexpected EOF"],
  [registrationSchema, '{"Node":"d', "unexpected EOF"],
  [registrationSchema, "{bad", "invalid character 'b' looking for beginning of object key string"],
  [registrationSchema, "{,}", "invalid character ',' looking for beginning of object key string"],
  [registrationSchema, '{"a":}', "invalid character '}' looking for beginning of value"],
  [registrationSchema, '{"Node":"d" "x"}', "invalid character '\"' after object key:value pair"],
  [registrationSchema, '{"Node":tru}', "invalid character '}' in literal true (expecting 'e')"],
  [registrationSchema, '{"Node":"\\q"}', "invalid character 'q' in string escape code"],
  [registrationSchema, "not json", "invalid character 'o' in literal null (expecting 'u')"],
  [registrationSchema, "[1 2]", "invalid character '2' after array element"],
  [registrationSchema, '{"a":-x}', "invalid character 'x' in numeric literal"],
  [registrationSchema, '{"a":"\n"}', "invalid character '\\n' in string literal"],
  [
    registrationSchema,
    "[]",
    "json: cannot unmarshal array into Go value of type structs.RegisterRequest",
  ],
  [
    registrationSchema,
    '"x"',
    "json: cannot unmarshal string into Go value of type structs.RegisterRequest",
  ],
  [registrationSchema, '{"Nodee":"x"}', 'json: unknown field "Nodee"'],
  [
    registrationSchema,
    '{"Address":5}',
    "json: cannot unmarshal number into Go struct field RegisterRequest.Address of type string",
  ],
  [
    registrationSchema,
    '{"Service":{"Port":"x"}}',
    "json: cannot unmarshal string into Go struct field NodeService.Service.Port of type int",
  ],
  [
    registrationSchema,
    '{"Service":{"Port":1.5}}',
    "json: cannot unmarshal number 1.5 into Go struct field NodeService.Service.Port of type int",
  ],
  [
    registrationSchema,
    '{"Service":{"Tags":"a"}}',
    "json: cannot unmarshal string into Go struct field NodeService.Service.Tags of type []string",
  ],
  [
    registrationSchema,
    '{"Checks":[{"Status":1}]}',
    "json: cannot unmarshal number into Go struct field HealthCheck.Checks.Status of type string",
  ],
  [
    registrationSchema,
    '{"Check":{"Definition":{"HTTP":7}}}',
    "json: cannot unmarshal number into Go struct field HealthCheck.Check.Definition of type string",
  ],
  [
    registrationSchema,
    '{"Service":{"Proxy":{"Upstreams":[{"LocalBindPort":"x"}]}}}',
    "json: cannot unmarshal string into Go struct field NodeService.Service.Proxy of type int",
  ],
  [
    registrationSchema,
    '{"Service":{"Weights":{"Passing":"1"}}}',
    "json: cannot unmarshal string into Go struct field Weights.Service.Weights.Passing of type int",
  ],
  [
    registrationSchema,
    '{"Check":{"Definition":{"Interval":"abc"}}}',
    'time: invalid duration "abc"',
  ],
  [
    registrationSchema,
    '{"Check":{"Definition":{"Interval":"99999999999999999999"}}}',
    'time: invalid duration "99999999999999999999"',
  ],
  [
    registrationSchema,
    '{"Service":{"Namespace":"x"}}',
    'json: unknown field "Namespace" - Namespaces are a Consul Enterprise feature',
  ],
  [registrationSchema, '{"Service":{"Proxy":{"Bogus":1}}}', 'json: unknown field "Bogus"'],
  [
    deregistrationSchema,
    '{"CheckID":5}',
    "json: cannot unmarshal number into Go struct field .CheckID of type types.CheckID",
  ],
  [
    sessionDefinitionSchema,
    '{"TTL":5}',
    "json: cannot unmarshal number into Go struct field .TTL of type string",
  ],
  [txnRequestSchema, "{}", "json: cannot unmarshal object into Go value of type api.TxnOps"],
  [
    txnRequestSchema,
    '[{"KV":{"Flags":-1}}]',
    "json: cannot unmarshal number -1 into Go struct field KVTxnOp.KV.Flags of type uint64",
  ],
  [
    txnRequestSchema,
    '[{"Check":{"Check":{"Definition":0}}}]',
    "json: cannot unmarshal number into Go struct field HealthCheck.Check.Check.Definition of type struct { " +
      "IntervalDuration interface {}; TimeoutDuration interface {}; " +
      "DeregisterCriticalServiceAfterDuration interface {}; *api.Alias }",
  ],
  [txnRequestSchema, '[{"KV":{"Value":"@@"}}]', "illegal base64 data at input byte 0"],
  [
    txnRequestSchema,
    '[{"KV":{"Verb":1}}]',
    "json: cannot unmarshal number into Go struct field KVTxnOp.KV.Verb of type api.KVOp",
  ],
  [
    txnRequestSchema,
    '[{"Node":{"Node":{"Node":5}}}]',
    "json: cannot unmarshal number into Go struct field Node.Node.Node.Node of type string",
  ],
];

describe("what Go refuses", () => {
  const cases = refusals.map(([schema, body, message]) => [body, message, schema] as const);
  test.each(cases)("%s: %s", (body, message, schema) => {
    expect(() => decodeBody(schema, body, "refuse")).toThrow(message);
  });
});

describe("what Go accepts", () => {
  const register = (body: string): Record<string, unknown> =>
    decodeBody(registrationSchema, body, "refuse") as Record<string, unknown>;

  test("names in any case, null as nothing, bytes after the value", () => {
    expect(register('{"node":"n","ADDRESS":null,"service":{"PORT":3}} trailing')).toMatchObject({
      Node: "n",
      Address: "",
      Service: { Port: 3, Tags: null },
    });
  });

  test("a later member overwrites an earlier one; structs and maps are merged", () => {
    const body =
      '{"Node":"a","NodeMeta":{"x":"1"},"Service":{"ID":"i"},' +
      '"NodeMeta":{"y":"2"},"node":"b","Service":{"Port":1}}';
    expect(register(body)).toMatchObject({
      Node: "b",
      NodeMeta: { x: "1", y: "2" },
      Service: { ID: "i", Port: 1 },
    });
  });

  test("durations as text or nanoseconds", () => {
    expect(register('{"Check":{"Definition":{"Interval":"1500ms","Timeout":7}}}')).toMatchObject({
      Check: { Definition: { Interval: 1_500_000_000, Timeout: 7 } },
    });
  });

  test("snake case inside Proxy, and unknown members inside Connect and Definition", () => {
    const body =
      '{"Service":{"Proxy":{"local_service_port":9},"Connect":{"SidecarService":{}}},' +
      '"Check":{"Definition":{"Bogus":1}}}';
    expect(register(body)).toMatchObject({ Service: { Proxy: { LocalServicePort: 9 } } });
  });

  test("a map may have a key that means something to JavaScript", () => {
    const { NodeMeta: meta } = register('{"NodeMeta":{"__proto__":"x","constructor":"y"}}');
    expect(Object.entries(meta as object)).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
  });

  test("a uint64 keeps every digit, both ways", () => {
    const entry = decodeBody(kvEntrySchema, '{"Flags":18446744073709551615}', "refuse");
    expect(encode(kvEntrySchema, entry)).toContain('"Flags":18446744073709551615');
  });
});

test("numbers with fractions are read and written as Go does, and stay finite", () => {
  const point: StructType = { kind: "struct", goName: "structs.Point", fields: { X: float } };
  const through = (body: string): string => encode(point, decodeBody(point, body, "refuse"));
  expect(through('{"X":1e-05}')).toBe('{"X":0.00001}');
  expect(through('{"X":7.928758912023202e-08}')).toBe('{"X":7.928758912023202e-8}');
  expect(through("{}")).toBe('{"X":0}');
  expect(() => through('{"X":1e999}')).toThrow(
    "json: cannot unmarshal number 1e999 into Go struct field Point.X of type float64",
  );
  expect(() => through('{"X":"1"}')).toThrow(
    "json: cannot unmarshal string into Go struct field Point.X of type float64",
  );
});

test("encoding leaves out what Go leaves out and sorts maps", () => {
  const body = '{"Service":"web","Meta":{"b":"<","a":"1"},"Weights":{"Passing":1,"Warning":1}}';
  const service = decodeBody(nodeServiceDefinitionSchema, body, "refuse");
  expect(encode(nodeServiceDefinitionSchema, service)).toBe(
    '{"ID":"","Service":"web","Tags":null,"Address":"","Meta":{"a":"1","b":"\\u003c"},"Port":0,' +
      '"Weights":{"Passing":1,"Warning":1},"EnableTagOverride":false,' +
      '"Proxy":{"MeshGateway":{},"Expose":{}},"Connect":{}}',
  );
});

test.each([
  ["", null],
  ["TQ==", null],
  ["TWE=", null],
  ["TWFu", null],
  ["@@", 0],
  ["TWF", 0],
  ["TQ=x", 3],
  ["not base64!!", 3],
])("base64 %j", (text, bad) => {
  expect(firstBadBase64(text)).toBe(bad);
});
