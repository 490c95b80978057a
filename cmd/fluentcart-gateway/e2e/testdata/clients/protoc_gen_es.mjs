// A client of the code that protoc-gen-es generates, over the gRPC transport of Connect.
//
//	node protoc_gen_es.mjs <address>
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { CustomerService } from './generated/fluentcart/customer/v1/customer_service_pb.js'
import { BadRequestSchema, ErrorInfoSchema, ResourceInfoSchema } from './generated/google/rpc/error_details_pb.js'

const [address] = process.argv.slice(2)
const client = createClient(CustomerService, createGrpcTransport({ baseUrl: `http://${address}`, defaultTimeoutMs: 20_000 }))

const show = (kind, response) =>
  console.log(`${kind}: ${response.changedFields} ${JSON.stringify([response.customer.city, response.customer.notes])}`)

show('update', await client.updateCustomer({ customerId: 1n, customer: { city: 'Lyon' } }))
show('clear', await client.updateCustomer({ customerId: 1n, customer: { notes: '' } }))
show('mask', await client.updateCustomer({ customerId: 1n, customer: { city: 'Nice', notes: 'vip' }, updateMask: { paths: ['notes'] } }))
show('dry run', await client.updateCustomer({ customerId: 1n, customer: { city: 'Rome' }, validateOnly: true }))

const { customer } = await client.getCustomer({ customerId: 1n })
console.log(`read: ${customer.city} ${customer.purchaseValue.USD} ${customer.firstPurchaseDate.seconds} ${customer.userId ? 'linked' : 'not linked'}`)
await client.updateCustomer({ customerId: 1n, customer: { city: 'Lille' }, etag: customer.etag })

const snakeCase = (name) => name.replace(/\B[A-Z]/g, (letter) => '_' + letter).toUpperCase()
for (const request of [
  { customerId: 1n, customer: { email: 'ann', fullName: '' } },
  { customerId: 1n, customer: { city: 'Metz' }, etag: customer.etag },
  { customerId: 99n, customer: { city: 'Metz' } },
]) {
  const err = ConnectError.from(await client.updateCustomer(request).then(() => { throw new Error('no error') }, (err) => err))
  const [info] = err.findDetails(ErrorInfoSchema)
  const [badRequest] = err.findDetails(BadRequestSchema)
  const [resource] = err.findDetails(ResourceInfoSchema)
  console.log(['error:', snakeCase(Code[err.code]), info.reason, info.metadata.write_state,
    ...(badRequest?.fieldViolations ?? []).map((violation) => violation.field), resource?.resourceName].filter(Boolean).join(' '))
}
