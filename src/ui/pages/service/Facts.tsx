// What is written of an instance: ids, addresses, tags, metadata.

import type { ComponentChildren } from "preact";

import { addressOf } from "../../model/instance.ts";
import type { Instance } from "../../model/instance.ts";
import { Name } from "../../parts/Name.tsx";
import { words } from "../../text/index.ts";

export function Facts({ instance }: { instance: Instance }) {
  const { why: said, service } = words();
  const { row, tags, meta, weights } = instance;
  const tagged = Object.entries(row.Service.TaggedAddresses ?? {});
  const proxied = row.Service.Proxy?.DestinationServiceName ?? "";
  return (
    <>
      <section>
        <h3>{said.facts}</h3>
        <dl class="facts">
          <Fact name={said.id} text={instance.id} />
          <Fact name={service.node} text={instance.node} />
          {(row.Service.Kind ?? "") !== "" && (
            <Fact name={service.kind} text={row.Service.Kind ?? ""} />
          )}
          {proxied !== "" && <Fact name={said.proxy} text={proxied} />}
          {tags.length > 0 && (
            <Row name={service.tags}>
              <span class="tags">
                {tags.map((tag) => (
                  <span key={tag}>
                    <Name text={tag} />
                  </span>
                ))}
              </span>
            </Row>
          )}
          <Fact name={said.weights} text={`${weights.passing} / ${weights.warning}`} />
          {tagged.map(([name, { Address: address, Port: port }]) => (
            <Fact key={name} name={said.tagged(name)} text={addressOf({ address, port })} />
          ))}
        </dl>
      </section>
      {Object.keys(meta).length > 0 && (
        <section>
          <h3>{said.meta}</h3>
          <dl class="facts">
            {Object.entries(meta).map(([name, value]) => (
              <Fact key={name} name={name} text={value} />
            ))}
          </dl>
        </section>
      )}
    </>
  );
}

function Fact({ name, text }: { name: string; text: string }) {
  return (
    <Row name={name}>
      <Name text={text} />
    </Row>
  );
}

function Row({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>
        <Name text={name} />
      </dt>
      <dd>{children}</dd>
    </div>
  );
}
