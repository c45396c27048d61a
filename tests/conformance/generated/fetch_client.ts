// What a citizen does, with the types of openapi-typescript and openapi-fetch.
import { strictEqual, ok } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import createClient from 'openapi-fetch';
import type { components, paths } from './schema';

type Action = components['schemas']['Action']['action'];
const actions: Action[] = ['assign', 'finish', 'verify'];
// @ts-expect-error: nobody but the clock closes what nobody answered.
actions.push('lapse');

async function main(baseUrl: string, photo: string): Promise<void> {
  const api = createClient<paths>({ baseUrl });
  const header = () => ({ 'Idempotency-Key': randomUUID() });

  const services = (await api.GET('/v1/services')).data!.services;
  const flood = services.find((one) => one.code === 'banjir')!;
  strictEqual(flood.description!.en, 'Water on a street or in houses');
  strictEqual(flood.group_name.id, 'Banjir dan drainase');
  const passable = flood.questions.find((one) => one.type === 'singlevaluelist')!;
  const workflow = (await api.GET('/v1/workflow')).data!;
  strictEqual(workflow.actions.assign.to, 'assigned');
  strictEqual(workflow.states.closed.clock, 'stopped');

  const device = (await api.POST('/v1/devices')).data!;
  api.use({
    onRequest({ request }) {
      request.headers.set('Authorization', `${device.kind} ${device.token}`);
      return request;
    },
  });

  const ticket = (
    await api.POST('/v1/photos', {
      params: { header: header() },
      body: { content_type: 'image/jpeg' },
    })
  ).data!;
  const form = new FormData();
  for (const [name, value] of Object.entries(ticket.upload!.fields)) form.append(name, value);
  form.append('file', new Blob([readFileSync(photo)], { type: 'image/jpeg' }));
  ok((await fetch(ticket.upload!.url, { method: 'POST', body: form })).ok);

  const filed = await api.POST('/v1/reports', {
    params: { header: header() },
    body: {
      service: 'banjir',
      lat: -6.1754,
      long: 106.8272,
      description: 'Banjir',
      photos: [ticket.photo],
      answers: { [passable.code]: passable.options[0].key },
      channel: 'web',
      contact: { email: 'fetch@example.org' },
    },
  });
  const receipt = filed.data!;
  ok(receipt, JSON.stringify(filed.error));

  const refused = await api.POST('/v1/reports', {
    params: { header: header() },
    body: { service: 'x', lat: -6.1754, long: 106.8272 },
  });
  strictEqual(refused.error!.type, 'urn:tanggap:problem:unknown_service');

  const path = { id: receipt.id };
  for (let tries = 0; ; tries++) {
    const mine = await api.GET('/v1/photos/{photo}', { params: { path: { photo: ticket.photo } } });
    if (mine.data!.state === 'ready') break;
    ok(tries < 200, 'the photo was never processed');
    await setTimeout(100);
  }
  const follow = await api.POST('/v1/reports/{id}/follow', { params: { path }, body: {} });
  strictEqual(follow.data!.following, true);
  const seen = (await api.GET('/v1/track/{code}', { params: { path: { code: receipt.code } } })).data!;
  strictEqual(seen.id, receipt.id);
  strictEqual(seen.state, 'submitted');
  strictEqual(seen.pictures[0].kind, 'before');
  const { events } = (await api.GET('/v1/reports/{id}/timeline', { params: { path } })).data!;
  strictEqual(events[0].action, 'file');
  strictEqual(events[0].words!.description, 'Banjir');
  const cells = await api.GET('/v1/map/cells', { params: { query: { z: 3 } } });
  ok(cells.data!.districts.every((one) => one.length === 2));
  const fields = { service_code: 'banjir', lat: -6.1754, long: 106.8272, description: 'Banjir' };
  console.log('sent', JSON.stringify({
    id: receipt.id,
    fields: { ...fields, email: 'fetch@example.org' },
    answers: { [passable.code]: passable.options[0].key },
    photo,
    channel: 'web',
  }));
  console.log('passed');
}

void main(process.argv[2], process.argv[3]);
