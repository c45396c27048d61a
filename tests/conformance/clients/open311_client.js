// open311 0.0.12 of npm, in JSON.
const [base, key, report] = process.argv.slice(2);
const Open311 = require('open311');
const client = new Open311({
  endpoint: base + '/', discovery: base.replace(/v2$/, 'discovery.json'), format: 'json',
  jurisdiction: 'demo', apiKey: key,
});
const ask = (name, ...given) => new Promise((done, fail) => {
  client[name](...given, (error, data) => (error ? fail(new Error(`${name}: ${error}`)) : done(data)));
});
const check = (truth, what) => { if (!truth) throw new Error(what); };
(async () => {
  const services = await ask('serviceList');
  check(services.some((one) => one.service_code === 'banjir'), 'serviceList');
  check((await ask('serviceDefinition', 'banjir')).service_code === 'banjir', 'serviceDefinition');
  check((await ask('serviceRequests', { status: 'open' })).length > 0, 'serviceRequests');
  check((await ask('serviceRequests', report))[0].service_request_id === report, 'one request');
  const made = await ask('submitRequest', {
    service_code: 'banjir', lat: -6.1754, long: 106.8272, description: 'Dari node',
  });
  check(made[0].service_request_id, 'submitRequest');
  console.log('passed');
})().catch((error) => { console.error(error); process.exit(1); });
