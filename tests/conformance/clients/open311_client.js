// open311 0.0.12 of npm, in JSON.
const [base, key, report] = process.argv.slice(2);
const Open311 = require('open311');
const client = new Open311({
  endpoint: base + '/', discovery: base.replace(/v2$/, 'discovery.json'), format: 'json',
  jurisdiction: 'demo', apiKey: key,
});
const ask = (name, ...given) => new Promise((done, fail) => {
  client[name](...given, (error, data) => (error ? fail(new Error(`${name}: ${error} ${JSON.stringify(data)}`)) : done(data)));
});
const check = (truth, what) => { if (!truth) throw new Error(what); };
(async () => {
  const services = await ask('serviceList');
  check(services.some((one) => one.service_code === 'banjir'), 'serviceList');
  check((await ask('serviceDefinition', 'banjir')).service_code === 'banjir', 'serviceDefinition');
  const open = await ask('serviceRequests', { status: 'open' });
  const [listed] = open.filter((one) => one.service_request_id === report);
  console.log('read', JSON.stringify(listed));
  console.log('read', JSON.stringify((await ask('serviceRequests', report))[0]));
  const fields = {
    service_code: 'banjir', lat: -6.17561, long: 106.82741, description: 'Dari node: “banjir” 50 %',
    address_string: 'Jl. Simpul 7', media_url: 'http://photos.example.org/simpul.jpg',
    email: 'node@example.org', first_name: 'Nodé', last_name: 'Wati', phone: '+628123450003',
  };
  const answers = { passable: 'yes', needs: ['pump', 'shelter'] };
  const made = await ask('submitRequest', { ...fields, attributes: answers });
  const id = made[0].service_request_id;
  check((await ask('token', 't' + id))[0].token === 't' + id, 'token');
  console.log('sent', JSON.stringify({ id, fields, answers }));
  console.log('passed');
})().catch((error) => { console.error(error); process.exit(1); });
