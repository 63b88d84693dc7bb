// Why an instance is as it is: one sentence, who decides, what clients see of it, and its facts.

import type { ComponentChildren } from "preact";

import type { Instance } from "../../model/instance.ts";
import { addressOf } from "../../model/instance.ts";
import { isMaintenance } from "../../../core/model/instance-state.ts";
import { causeOf, why } from "../../model/why.ts";
import type { Why } from "../../model/why.ts";
import { Copy } from "../../parts/Copy.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { Name } from "../../parts/Name.tsx";
import { Status } from "../../parts/Status.tsx";
import { words } from "../../text/index.ts";
import { CheckCard } from "./CheckCard.tsx";
import { patienceOf } from "./definition.ts";
import { Facts } from "./Facts.tsx";

export interface WhyPanelProps {
  /** Absent: it is gone. */
  instance: Instance | undefined;
  all: readonly Instance[];
  onClose(): void;
}

export function WhyPanel({ instance, all, onClose }: WhyPanelProps) {
  const { why: said, service } = words();
  return (
    <aside class="panel" aria-label={said.title}>
      <header>
        <h2>{instance ? <Name text={instance.id} /> : said.title}</h2>
        <button
          type="button"
          class="quiet"
          aria-label={said.close}
          aria-keyshortcuts="Escape"
          onClick={onClose}
        >
          <Icon name="close" />
        </button>
      </header>
      {instance ? <Explained instance={instance} all={all} /> : <p class="muted">{service.gone}</p>}
    </aside>
  );
}

function Explained({ instance, all }: { instance: Instance; all: readonly Instance[] }) {
  const { why: said } = words();
  const facts = why(instance, all);
  const address = addressOf(instance);
  return (
    <>
      <p class="lead">
        <Status state={instance.state} />
        <strong>{facts.isServed ? said.served : said.notServed}</strong>
      </p>
      <p class="reason">
        <Reason facts={facts} count={instance.checks.length} />
      </p>
      <p class="address">
        <code>
          <Name text={address} />
        </code>
        <Copy text={address} />
      </p>
      <Section title={said.decides}>
        <ul class="checks">
          {instance.checks.map((decider) => (
            <CheckCard
              key={`${decider.check.ServiceID} ${decider.check.CheckID}`}
              decider={decider}
              isOpen={facts.deciding.includes(decider)}
            />
          ))}
        </ul>
      </Section>
      <Section title={said.clients}>
        <Clients facts={facts} />
      </Section>
      <Facts instance={instance} />
    </>
  );
}

export function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

/** Sentences, each about one thing. */
function Reason({ facts, count }: { facts: Why; count: number }) {
  const { why: said, state } = words();
  const sentences: string[] = [];
  const [first] = facts.deciding;
  if (!first) sentences.push(said.allPass(count));
  else if (isMaintenance(first.check)) {
    sentences.push(said.maintenance);
    const reason = first.check.Notes;
    if (reason !== "") sentences.push(said.maintenanceReason(reason));
  } else {
    const names = facts.deciding.map(({ check }) => check.Name).join(", ");
    sentences.push(
      said.because({
        ...{ names, who: said[first.of], node: first.check.Node },
        ...{ state: state[facts.state], cause: causeOf(first.check.Output) },
      }),
    );
  }
  if (first && first.of !== "node") sentences.push(facts.isNodeWell ? said.nodeWell : said.nodeIll);
  sentences.push(said.others(facts.othersServing, facts.others));
  const patience = !first || facts.isServed ? "" : patienceOf(first.check);
  if (patience !== "") sentences.push(said.next(patience));
  return <Name text={said.together(sentences)} />;
}

function Clients({ facts: { isServed, state, weight } }: { facts: Why }) {
  const { why: said } = words();
  const dns = !isServed ? said.outOfDns : state === "warning" ? said.warningDns : said.inDns;
  const lines = [
    dns,
    state === "passing" ? said.inPassing : said.outOfPassing,
    ...(weight === null ? [] : [said.weight(weight)]),
  ];
  return (
    <ul class="plain">
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}
