// A client of @grpc/grpc-js and @grpc/proto-loader, which reads the .proto files when it starts.
//
//	node proto_loader.mjs <folder of the .proto files> <address>
import grpc from '@grpc/grpc-js'
import { load } from './loaded.mjs'

const [folder, address] = process.argv.slice(2)
const { Client, details } = load(folder)
const client = new Client(address, grpc.credentials.createInsecure())

const call = (method, request) => new Promise((resolve, reject) =>
  client[method](request, { deadline: Date.now() + 20_000 }, (err, response) => err ? reject(err) : resolve(response)))

const show = (kind, response) =>
  console.log(`${kind}: ${response.changed_fields} ${JSON.stringify([response.customer.city, response.customer.notes])}`)

show('update', await call('UpdateCustomer', { customer_id: 1, customer: { city: 'Lyon' } }))
show('clear', await call('UpdateCustomer', { customer_id: 1, customer: { notes: '' } }))
show('mask', await call('UpdateCustomer', { customer_id: 1, customer: { city: 'Nice', notes: 'vip' }, update_mask: { paths: ['notes'] } }))
show('dry run', await call('UpdateCustomer', { customer_id: 1, customer: { city: 'Rome' }, validate_only: true }))

const { customer } = await call('GetCustomer', { customer_id: 1 })
console.log(`read: ${customer.city} ${customer.purchase_value.USD} ${customer.first_purchase_date.seconds} ${customer.user_id > 0 ? 'linked' : 'not linked'}`)
await call('UpdateCustomer', { customer_id: 1, customer: { city: 'Lille' }, etag: customer.etag })

for (const request of [
  { customer_id: 1, customer: { email: 'ann', full_name: '' } },
  { customer_id: 1, customer: { city: 'Metz' }, etag: customer.etag },
  { customer_id: 99, customer: { city: 'Metz' } },
]) {
  const err = await call('UpdateCustomer', request).then(() => { throw new Error('no error') }, (err) => err)
  const { ErrorInfo, BadRequest, ResourceInfo } = details(err)
  console.log(['error:', grpc.status[err.code], ErrorInfo.reason, ErrorInfo.metadata.write_state,
    ...(BadRequest?.field_violations ?? []).map((violation) => violation.field), ResourceInfo?.resource_name].filter(Boolean).join(' '))
}
client.close()
