// Being required, this file sends `*.amocrm.ru` to the sandbox's TLS port, as a line in /etc/hosts and a redirected port
// do. For clients that have `https://` or the host name written in their code. They speak real TLS to the name they
// know; the suite's authority comes by NODE_EXTRA_CA_CERTS.
const tls = require('node:tls');

const { connect } = tls;

tls.connect = (...given) => {
  const [options] = given;
  const name = options?.servername || options?.host || options?.hostname || '';
  if (!name.endsWith('.amocrm.ru')) return connect(...given);
  const here = { ...options, servername: name, host: '127.0.0.1', port: Number(process.env.SANDBOX_TLS_PORT) };
  return connect(here, ...given.slice(1));
};
