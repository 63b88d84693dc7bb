// Every limit that a client can meet, with its unit in its name. Most are Consul's defaults.

/**
 * Memory for what could be read again. A server keeps 12 MiB in all (and 4 MiB of its log), because two of them may
 * share the 128 MB of an isolate; a host agent keeps 24 MiB.
 */
const cacheBytes = {
  /** Encoded answers that a server keeps for the next asker. */
  readCacheBytesMax: 8_388_608,
  /** Rows of all tables of a server's state. */
  rowCacheBytesMax: 4_194_304,
  /** Answers that a host agent follows. */
  followedReadsBytesMax: 16_777_216,
  /** Certificates of services that a host agent keeps, some 1,500 of them. */
  leafCertificatesBytesMax: 4_194_304,
  /** Encoded HTTP answers that a host agent keeps from those. */
  httpAnswersBytesMax: 4_194_304,
} as const;

/** What a server answers, and what it sends on a link. Lengths are in UTF-16 units of JSON text. */
const answers = {
  /** One answer of a deployment, whose objects have 128 MB for everything. */
  answerLengthMax: 8_388_608,
  /** One answer of a server of one's own: a frame of the runtime holds 32 MiB. */
  hostedAnswerLengthMax: 29_360_128,
  /** One frame of a link. A single request or answer that is longer goes alone. */
  frameLengthMax: 1_000_000,
  /** Whatever wakes many who wait is answered in turns of this length. */
  answersPerTurnLengthMax: 4_000_000,
  /** Replies that wait for one link, which is closed when more would. */
  outboxLengthMax: 33_554_432,
  /** What the network may hold back before replies wait here. */
  socketBufferBytesMax: 4_194_304,
  /** Requests that a server works on at a time, and what they may come to; waiting for a change is no work. */
  requestsAtOnceMax: 8_192,
  requestBytesAtOnceMax: 33_554_432,
  /** Blocking queries of one link that wait at a time. */
  waitingReadsPerLinkMax: 16_384,
} as const;

/** What servers believe of other datacenters that were joined over the WAN. */
const datacenters = {
  datacentersJoinedMax: 256,
  serversPerDatacenterMax: 64,
} as const;

/** Logins come from whoever may reach the API, and ask servers elsewhere: Consul has no such bounds. */
const logins = {
  bearerTokenLengthMax: 65_536,
  /** Of a claim, in a text that says what is wrong with it. */
  claimShownLengthMax: 256,
  /** Logins that a leader works on at a time. */
  loginsAtOnceMax: 64,
  /** What an issuer of tokens, or an API server of Kubernetes, may answer. */
  outsideAnswerBytesMax: 1_048_576,
  /** How long such an answer may take, and how long a login with all its questions. */
  outsideAnswerMsMax: 4_000,
  loginMsMax: 9_000,
  outsideRedirectsMax: 5,
  /** Keys of one issuer that are looked at. */
  issuerKeysMax: 128,
  /** Keys of issuers that a leader keeps, for how long, and how soon it may ask again for one that it lacks. */
  issuerKeysBytesMax: 1_048_576,
  issuerKeysMsMax: 300_000,
  issuerKeysMsMin: 10_000,
} as const;

/** What an isolate of a Worker remembers of those who ask, and lets one of them ask. */
const bearers = {
  /** Tokens that nobody knows, and addresses that show them: some 2,500 of each. */
  strangersBytesMax: 524_288,
  bearerBudgetsBytesMax: 524_288,
  /** Requests of one token, or of one address without, in 10 s. */
  bearerRequestsPer10sMax: 10_000,
  /** Blocking queries of one token that wait at a time. */
  bearerWatchesMax: 2_000,
} as const;

/** What Cloudflare allows an object, or a request, and no more than that is asked of it. */
const platform = {
  /** Connections of a request that wait for an answer at a time. */
  connectionsAtOnceMax: 6,
  /** A message on a socket, or a call. */
  messageBytesMax: 33_554_432,
  /** What a socket remembers while its object sleeps. */
  attachmentBytesMax: 16_384,
  /** The tag of a socket, in UTF-8; Cloudflare says letters, its runtime counts bytes. */
  socketTagBytesMax: 256,
  /** A row, and any value of it. */
  rowBytesMax: 2_000_000,
  /** Parameters of a statement, and its length. */
  sqlParametersMax: 100,
  sqlStatementBytesMax: 100_000,
} as const;

export const limits = {
  ...platform,
  ...bearers,
  /** Value of one key, before base64. */
  kvValueBytesMax: 524_288,
  /** Body of a transaction. */
  txnBodyBytesMax: 524_288,
  txnOperationsMax: 64,
  /** What changes a service or a check at the Worker's URL: it must fit a row there, twice. */
  edgeRegistrationBytesMax: 500_000,
  /** Body of any other request. */
  bodyBytesMax: 8_388_608,
  /** Nesting of a JSON body. */
  jsonDepthMax: 1_000,
  /** Nesting and length of a filter expression. */
  filterDepthMax: 200,
  filterBytesMax: 16_384,
  /** Nesting of a text that is interpolated, operators one after the other included. */
  interpolationDepthMax: 100,
  /** What one such text, and all of a template, may become, in UTF-16 units. */
  interpolatedLengthMax: 65_536,
  renderedQueryLengthMax: 1_048_576,
  /** A key, a certificate or a request for one, as PEM; Consul has no bound. */
  pemLengthMax: 65_536,
  blockingQueryWaitMsDefault: 300_000,
  blockingQueryWaitMsMax: 600_000,
  /** Random addition to a wait: up to its 16th part. */
  blockingQueryJitterDivisor: 16,
  /** The shortest TTL that an API takes unless it is configured otherwise, and the shortest that a server keeps. */
  sessionTtlMsMin: 10_000,
  /** For the permissions of tokens that were shown lately. */
  aclCacheBytesMax: 1_048_576,
  aclTokenTtlMsMin: 60_000,
  aclTokenTtlMsMax: 86_400_000,
  /** Questions in one request to `/v1/internal/acl/authorize`. */
  aclAuthorizationsMax: 64,
  sessionTtlMsFloor: 1_000,
  sessionTtlMsMax: 86_400_000,
  sessionLockDelayMsMax: 60_000,
  /** An archive that a Worker takes, whose requests cannot be larger; agents on hosts take any. */
  edgeSnapshotBytesMax: 100_000_000,
  /** Rows that a state which is being saved keeps as they were, while they change. */
  keptAsideBytesMax: 268_435_456,
  /** Body of one configuration entry. */
  configEntryBytesMax: 524_288,
  /** What the entries of one discovery chain may come to, so that a few of them cannot ask for endless work. */
  chainNodesMax: 1_024,
  chainSplitsMax: 10_000,
  ...datacenters,
  ...logins,
  ...cacheBytes,
  ...answers,
} as const;
