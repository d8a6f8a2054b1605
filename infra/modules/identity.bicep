// The app's identity for storage, the vault, telemetry and the identity provider. User-assigned, because
// only such an identity can replace a client secret (a federated credential names its principal ID), and
// because roles can be assigned before the app exists.
import { resourceTags } from 'types.bicep'

param name string
param location string
param tags resourceTags

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

output principalId string = identity.properties.principalId
