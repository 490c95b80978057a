// Makes one call with a service config, and prints how it ends:
//
//	node call.mjs <folder of the .proto files> <call as JSON>
import grpc from '@grpc/grpc-js'
import { load } from './loaded.mjs'

const [folder, argument] = process.argv.slice(2)
const { address, config, method, request, timeout, cancel, authorization } = JSON.parse(argument)
const { Client, details } = load(folder)
const client = new Client(address, grpc.credentials.createInsecure(), { 'grpc.service_config': JSON.stringify(config) })
const metadata = new grpc.Metadata()
if (authorization) {
  metadata.set('authorization', authorization)
}
const call = client[method](request, metadata, { deadline: Date.now() + timeout }, (err) => {
  const info = err ? details(err).ErrorInfo : undefined
  console.log([err ? grpc.status[err.code] : 'OK', info?.reason, info?.metadata.write_state].filter(Boolean).join(' '))
  client.close()
})
if (cancel) {
  setTimeout(() => call.cancel(), cancel)
}
