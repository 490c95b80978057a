// What @grpc/proto-loader makes of the .proto files.
import grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

const detailTypes = ['ErrorInfo', 'BadRequest', 'ResourceInfo', 'RetryInfo', 'PreconditionFailure']

// load returns the client's class, and a function that decodes the details of an error.
export function load(folder) {
  const definition = loadSync(
    ['fluentcart/customer/v1/customer_service.proto', 'google/rpc/status.proto', 'google/rpc/error_details.proto'],
    { includeDirs: [folder], keepCase: true, longs: String, enums: String, oneofs: true },
  )
  const details = (err) => {
    const [encoded] = err.metadata.get('grpc-status-details-bin')
    const found = {}
    for (const detail of encoded ? definition['google.rpc.Status'].deserialize(encoded).details : []) {
      const name = detail.type_url.split('.').pop()
      if (detailTypes.includes(name)) {
        found[name] = definition['google.rpc.' + name].deserialize(detail.value)
      }
    }
    return found
  }
  return { Client: grpc.loadPackageDefinition(definition).fluentcart.customer.v1.CustomerService, details }
}
