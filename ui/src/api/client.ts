import { ApiError, isWireError } from './error.ts';
import type { Socket, Transport } from './transport.ts';
import {
  endpoints,
  type Account,
  type AccountCheck,
  type AccountsView,
  type AgentsView,
  type AnswerApproval,
  type AllowHost,
  type AuditReport,
  type ChangeMessage,
  type ConfigView,
  type ConversationView,
  type CreateLine,
  type CreateOptions,
  type CreateSession,
  type DaemonInfo,
  type Desk,
  type DiffView,
  type DoctorReport,
  type FileSides,
  type FileView,
  type Fix,
  type FixLine,
  type FolderView,
  type ForkSession,
  type MessageView,
  type Network,
  type PolicyView,
  type PullView,
  type RecentRepository,
  type SaveAccount,
  type SayText,
  type SendMessage,
  type Session,
  type SessionInfo,
  type SetBudget,
  type StatusView,
  type StorageView,
  type TrashRow,
  type UpdateSession,
  type Upload,
  type UsageView,
} from './types.ts';

type Endpoint = keyof typeof endpoints;
type Query = Record<string, string | number | boolean | undefined>;

/** The path of an endpoint with `name` in its placeholder's place. */
export function pathFor(endpoint: Endpoint, name = '', query: Query = {}): string {
  const path = endpoints[endpoint].path.replace(/\{(session|name)\}/, encodeURIComponent(name));
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) parameters.set(key, String(value));
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

/** One typed function an endpoint. `session` is a name or an identifier. */
export class Client {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  daemon = () => this.#ask<DaemonInfo>('Daemon');
  stopDaemon = () => this.#ask<unknown>('StopDaemon');

  sessions = () => this.#ask<Session[]>('Sessions');
  session = (session: string) => this.#ask<Session>('Session', session);
  create = (request: CreateSession, signal?: AbortSignal) => this.#lines<CreateLine>('CreateSession', '', request, signal);
  fork = (session: string, request: ForkSession, signal?: AbortSignal) => this.#lines<CreateLine>('ForkSession', session, request, signal);
  demo = (signal?: AbortSignal) => this.#lines<CreateLine>('Demo', '', undefined, signal);
  usage = (days?: number) => this.#ask<UsageView>('Usage', '', undefined, { days });
  setBudget = (session: string, budget: SetBudget) => this.#ask<Session>('SetBudget', session, budget);
  update = (session: string, change: Partial<UpdateSession>) =>
    this.#ask<Session>('UpdateSession', session, { title: null, pinned: null, notify: null, posture: null, seen: null, ...change } satisfies UpdateSession);
  delete = (session: string) => this.#ask<unknown>('DeleteSession', session);
  start = (session: string) => this.#ask<Session>('StartSession', session);
  stop = (session: string) => this.#ask<Session>('StopSession', session);
  archive = (session: string) => this.#ask<Session>('ArchiveSession', session);
  unarchive = (session: string) => this.#ask<Session>('UnarchiveSession', session);
  recreate = (session: string) => this.#ask<Session>('RecreateSession', session);
  info = (session: string) => this.#ask<SessionInfo>('SessionInfo', session);
  conversation = (session: string, part: { before?: string; most?: number } = {}) => this.#ask<ConversationView>('Conversation', session, undefined, part);
  answerApproval = (session: string, answer: AnswerApproval) => this.#ask<unknown>('AnswerApproval', session, answer);
  sendMessage = (session: string, message: SendMessage) => this.#ask<MessageView>('SendMessage', session, message);
  changeMessage = (session: string, change: ChangeMessage) => this.#ask<MessageView>('ChangeMessage', session, change);
  withdrawMessage = (session: string, id: string) => this.#ask<MessageView>('WithdrawMessage', session, undefined, { id });
  say = (session: string, text: SayText) => this.#ask<unknown>('Say', session, text);

  folder = (session: string, path: string) => this.#ask<FolderView>('Folder', session, undefined, { path });
  file = (session: string, path: string) => this.#ask<FileView>('File', session, undefined, { path });
  rawFile = (session: string, path: string) => this.#transport.blob(pathFor('RawFile', session, { path }));
  status = (session: string) => this.#ask<StatusView>('FileStatus', session);
  sides = (session: string, path: string) => this.#ask<FileSides>('FileSides', session, undefined, { path });
  diff = (session: string) => this.#ask<DiffView>('Diff', session);
  pull = (session: string) => this.#ask<PullView>('Pull', session);
  policy = (session: string) => this.#ask<PolicyView>('Policy', session);
  allow = (session: string, grant: AllowHost) => this.#ask<PolicyView>('AllowHost', session, grant);

  /** Puts a file into a session; `progress` hears the bytes sent so far. */
  async upload(session: string, name: string, blob: Blob, progress: (sent: number) => void = () => undefined, signal?: AbortSignal): Promise<Upload> {
    const { status, json } = await this.#transport.upload(pathFor('Upload', session, { name }), blob, progress, signal);
    return accept<Upload>(status, json);
  }

  trash = () => this.#ask<TrashRow[]>('Trash');
  restore = (id: string) => this.#ask<Session>('RestoreSession', id);
  purge = (id: string) => this.#ask<unknown>('PurgeSession', id);
  emptyTrash = () => this.#ask<unknown>('EmptyTrash');
  storage = () => this.#ask<StorageView>('Storage');

  agents = () => this.#ask<AgentsView>('Agents');
  doctor = () => this.#ask<DoctorReport>('Doctor');
  repair = (fix: Fix, signal?: AbortSignal) => this.#lines<FixLine>('Repair', fix, undefined, signal);
  config = () => this.#ask<ConfigView>('Config');
  accounts = () => this.#ask<AccountsView>('Accounts');
  saveAccount = (name: string, save: SaveAccount) => this.#ask<Account>('SaveAccount', name, save);
  removeAccount = (name: string) => this.#ask<Account>('RemoveAccount', name);
  checkAccount = (name: string) => this.#ask<AccountCheck>('CheckAccount', name);
  createOptions = () => this.#ask<CreateOptions>('CreateOptions');
  recent = () => this.#ask<RecentRepository[]>('RecentRepositories');
  network = () => this.#ask<Network>('Network');
  setNetwork = (network: Network) => this.#ask<Network>('SetNetwork', '', network);
  desk = () => this.#ask<Desk>('Desk');
  saveDesk = (desk: Desk) => this.#ask<unknown>('SaveDesk', '', desk);
  verifyAudit = () => this.#ask<AuditReport>('VerifyAudit');
  audit = (query: { session?: string; n?: number; follow?: boolean }, signal?: AbortSignal) =>
    this.#lines('Audit', '', undefined, signal, { follow: false, ...query });

  /** The console; `from` is an offset in the log of `epoch`, or nothing for a snapshot and what follows. */
  console = (session: string, from?: number, epoch?: number): Socket => this.#transport.socket(pathFor('Console', session, { from, epoch }));
  conversationEvents = (session: string): Socket => this.#transport.socket(pathFor('ConversationEvents', session));
  fileEvents = (session: string): Socket => this.#transport.socket(pathFor('FileEvents', session));
  signIn = (name: string): Socket => this.#transport.socket(pathFor('SignIn', name));
  events = (): Socket => this.#transport.socket(pathFor('Events'));

  async #ask<T>(endpoint: Endpoint, name = '', body?: unknown, query?: Query): Promise<T> {
    const { status, json } = await this.#transport.request(endpoints[endpoint].method, pathFor(endpoint, name, query), body);
    return accept<T>(status, json);
  }

  async *#lines<T>(endpoint: Endpoint, name: string, body?: unknown, signal?: AbortSignal, query?: Query): AsyncIterable<T> {
    for await (const line of this.#transport.lines(endpoints[endpoint].method, pathFor(endpoint, name, query), body, signal)) {
      yield line as T;
    }
  }
}

/** The types are the daemon's own, so an answer of success has the endpoint's type. */
function accept<T>(status: number, json: unknown): T {
  if (status >= 200 && status < 300 && !(status !== 200 && isWireError(json))) return json as T;
  throw ApiError.from(status, json);
}
