// Makes calls at the same time, each with a service config, and prints how they end:
//
//	node call.mjs <folder of the .proto files> <calls as JSON>
import grpc from '@grpc/grpc-js'
import { load } from './loaded.mjs'

const [folder, argument] = process.argv.slice(2)
const { Client, details } = load(folder)

function end({ address, config, method, request, timeout, cancel, authorization }) {
  const begin = Date.now()
  const client = new Client(address, grpc.credentials.createInsecure(), { 'grpc.service_config': JSON.stringify(config) })
  const metadata = new grpc.Metadata()
  if (authorization) {
    metadata.set('authorization', authorization)
  }
  return new Promise((resolve) => {
    const call = client[method](request, metadata, { deadline: begin + timeout }, (err) => {
      const info = err ? details(err).ErrorInfo : undefined
      const status = [err ? grpc.status[err.code] : 'OK', info?.reason, info?.metadata.write_state].filter(Boolean).join(' ')
      client.close()
      resolve({ status, took: Date.now() - begin })
    })
    if (cancel) {
      setTimeout(() => call.cancel(), cancel)
    }
  })
}

console.log(JSON.stringify(await Promise.all(JSON.parse(argument).map(end))))
