import { describe, expect, test } from 'vitest';
import { sorted } from './given.ts';
import { reach } from './reach.ts';
import { imageName, imagesIn, problems, requestOf, type Draft } from './request.ts';

const draft: Draft = { repository: '/home/ada/storefront', prompt: 'Fix it.\n', name: '', agent: 'claude', backend: '', posture: 'balanced', image: '', model: '', budget: '', isolateHistory: false };

test('a sentence says what each posture reaches', () => {
  const said = (posture: Draft['posture'], agent: Draft['agent'] = 'claude') => reach({ ...draft, posture, agent }).can;
  expect(said('locked')).toBe('Reaches Claude at Anthropic and nothing else, and works on a private clone of storefront.');
  expect(said('balanced', 'codex')).toContain('Codex at OpenAI, can read from GitHub and the public package registries');
  expect(said('open')).toContain('whatever it reads, it can send anywhere');
  expect(reach({ ...draft, repository: '' }).can).toContain('a private clone of the repository');
  expect(reach(draft).cannot).toContain('Pushing');
});

describe('a request', () => {
  test('leaves to the daemon what was left open', () => {
    expect(requestOf(draft, 0)).toMatchObject({ name: null, backend: null, image: null, model: null, prompt: 'Fix it.\n', mode: 'interactive', posture: 'balanced' });
    expect(requestOf({ ...draft, prompt: '  \n' }, 0).prompt).toBeNull();
    expect(requestOf(draft, 0).budget).toBeNull();
    expect(requestOf({ ...draft, budget: ' 5usd ' }, 0).budget).toBe('5usd');
  });

  test('keeps the prompt back until the images are there', () => {
    expect(requestOf(draft, 2).prompt).toBeNull();
  });

  test('names no image where the runtime has none', () => {
    expect(requestOf({ ...draft, backend: 'bubblewrap', image: 'debian' }, 0).image).toBeNull();
    expect(requestOf({ ...draft, backend: 'docker', image: ' debian ' }, 0).image).toBe('debian');
  });

  test('is not made without a whole path', () => {
    expect(problems(draft)).toEqual({});
    expect(problems({ ...draft, repository: ' ' })).toHaveProperty('repository');
    expect(problems({ ...draft, repository: 'storefront' })).toHaveProperty('repository');
    expect(problems({ ...draft, name: 'x'.repeat(64) })).toHaveProperty('name');
    expect(problems({ ...draft, budget: '5' })).toHaveProperty('budget');
  });
});

test('takes pictures that a page can show, and names those that were pasted', () => {
  const files = [new File([''], 'a.png', { type: 'image/png' }), new File([''], 'b.svg', { type: 'image/svg+xml' }), new File([''], 'image.png', { type: 'image/png' })];
  expect(imagesIn(files).map((file, index) => imageName(file, index + 1))).toEqual(['a.png', 'pasted-2.png']);
});

test('what is dropped: a folder is the repository, pictures go along, the rest is said to stay', () => {
  const folder = { name: 'storefront', folder: true, path: '/home/ada/storefront' };
  const file = (name: string) => ({ name, folder: false, path: `/home/ada/${name}` });
  expect(sorted([folder, file('a.PNG')])).toEqual({ repository: '/home/ada/storefront', pictures: [file('a.PNG')], refusal: undefined });
  expect(sorted([file('a.png'), file('notes.txt')])).toMatchObject({ repository: undefined, pictures: [file('a.png')], refusal: expect.stringContaining('Only pictures') });
  expect(sorted([folder, { ...folder, path: '/two' }])).toMatchObject({ repository: '/home/ada/storefront', refusal: expect.stringContaining('one repository') });
  expect(sorted([{ name: 'storefront', folder: true }])).toMatchObject({ repository: undefined, refusal: expect.stringContaining('write its path') });
  expect(sorted([])).toEqual({ repository: undefined, pictures: [], refusal: undefined });
});
