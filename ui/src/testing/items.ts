import type { ConversationStanding, ConversationView, Item, ToolDetail } from '../api/types.ts';

interface Place {
  id: string;
  order?: number;
  parent?: string | null;
  state?: Item['state'];
  seen?: Item['seen'];
}

function place({ id, order = 0, parent = null, state = 'done', seen = ['tap', 'transcript'] }: Place) {
  return { id, parent, turn: null, order, at_ms: 1000, state, seen };
}

/** Items as the daemon would send them, for tests. */
export function text(at: Place, words = at.id): Item {
  return { ...place(at), kind: 'text', text: words, model: null };
}

export function prompt(at: Place, words = at.id): Item & { kind: 'prompt' } {
  return { ...place(at), kind: 'prompt', text: words, images: 0, origin: 'person' };
}

export function tool(at: Place, detail: ToolDetail = { does: 'read', path: 'a' }): Item {
  return { ...place(at), kind: 'tool', tool: 'Tool', title: at.id, input: {}, detail, outcome: null };
}

export function agent(at: Place): Item {
  return { ...place(at), kind: 'agent', agent: null, role: null, title: at.id, prompt: '', result: null };
}

export const standing: ConversationStanding = {
  title: null,
  status: { status: 'idle', since_ms: 0 },
  used: { usage: { input: 0, output: 0, cache_read: 0, cache_write: 0, cache_write_hour: 0, reasoning: 0 }, requests: 0, dollars: null },
  limits: { five_hour: null, weekly: null, status: null, binding: null },
  held: null,
  approvals: [],
};

export function view(items: Item[], change: Partial<ConversationView> = {}): ConversationView {
  return { number: 1, items, earlier: false, standing, turns: [], messages: [], ...change };
}
