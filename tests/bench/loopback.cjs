// json-server 1.0 listens on all interfaces whatever its --host says; this makes it, or any Node program, listen on
// 127.0.0.1 only: node --require ./loopback.cjs PROGRAM
const net = require("node:net");
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  if (port !== null && typeof port === "object") return listen.call(this, { ...port, host: "127.0.0.1" }, ...rest);
  return listen.call(this, { port: Number(port), host: "127.0.0.1" }, ...rest.filter((one) => typeof one === "function"));
};
