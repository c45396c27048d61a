// What a citizen does, with the client that @hey-api/openapi-ts made.
import { strictEqual, ok } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import * as tanggap from './hey';
import { client } from './hey/client.gen';
import type { Event, MapCells, NewReport, Scorecard, ScorecardFigures, Workflow } from './hey';

// The names are there, and none hides another.
export type Named = Event | MapCells | Scorecard | Workflow | ScorecardFigures;

async function main(baseUrl: string, photo: string): Promise<void> {
  client.setConfig({ baseUrl, throwOnError: true });
  const headers = () => ({ 'Idempotency-Key': randomUUID() });

  const { services } = (await tanggap.listServices({ throwOnError: true })).data;
  const flood = services.find((one) => one.code === 'banjir')!;
  strictEqual(flood.description!.en, 'Water on a street or in houses');
  strictEqual(flood.group_name.id, 'Banjir dan drainase');
  const passable = flood.questions.find((one) => one.type === 'singlevaluelist')!;
  const workflow = (await tanggap.getWorkflow({ throwOnError: true })).data;
  strictEqual(workflow.actions.assign.to, 'assigned');

  const device = (await tanggap.registerDevice({ throwOnError: true })).data;
  client.setConfig({
    auth: (asked) => (asked.type === 'apiKey' ? `${device.kind} ${device.token}` : undefined),
  });

  const ticket = (
    await tanggap.ticketPhoto({
      headers: headers(),
      body: { content_type: 'image/jpeg' },
      throwOnError: true,
    })
  ).data;
  const form = new FormData();
  for (const [name, value] of Object.entries(ticket.upload!.fields)) form.append(name, value);
  form.append('file', new Blob([readFileSync(photo)], { type: 'image/jpeg' }));
  ok((await fetch(ticket.upload!.url, { method: 'POST', body: form })).ok);

  const body: NewReport = {
    service: 'banjir',
    lat: -6.1754,
    long: 106.8272,
    description: 'Banjir',
    public: false,
    photos: [ticket.photo],
    answers: { [passable.code]: passable.options[0].key },
    channel: 'web',
    contact: { email: 'hey@example.org' },
  };
  const receipt = (await tanggap.fileReport({ headers: headers(), body, throwOnError: true })).data;
  const refused = await tanggap.fileReport({
    headers: headers(),
    body: { ...body, service: 'x' },
    throwOnError: false,
  });
  strictEqual(refused.error!.type, 'urn:tanggap:problem:unknown_service');

  const path = { id: receipt.id };
  for (let tries = 0; ; tries++) {
    const mine = await tanggap.getPhoto({ path: { photo: ticket.photo }, throwOnError: true });
    if (mine.data.state === 'ready') break;
    ok(tries < 200, 'the photo was never processed');
    await setTimeout(100);
  }
  const follow = await tanggap.followReport({ path, body: {}, throwOnError: true });
  strictEqual(follow.data.following, true);
  // The token goes along where it makes a difference: a private report has words for its reporter.
  const seen = (await tanggap.trackReport({ path: { code: receipt.code }, throwOnError: true })).data;
  strictEqual(seen.description, 'Banjir');
  const { events } = (await tanggap.getTimeline({ path, throwOnError: true })).data;
  strictEqual(events[0].words!.description, 'Banjir');
  client.setConfig({ auth: undefined });
  const hidden = (await tanggap.getReport({ path, throwOnError: true })).data;
  strictEqual(hidden.description, null);
  const fields = { service_code: 'banjir', lat: -6.1754, long: 106.8272, description: 'Banjir' };
  console.log('sent', JSON.stringify({
    id: receipt.id,
    fields: { ...fields, email: 'hey@example.org' },
    answers: { [passable.code]: passable.options[0].key },
    photo,
    channel: 'web',
  }));
  console.log('passed');
}

void main(process.argv[2], process.argv[3]);
