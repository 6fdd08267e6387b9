"""A fifth API, as another package would add it: a warehouse whose articles can be searched, read and made."""

from zeyos_async.services.registry import Api

API = Api(
    name="inventory",
    title="Inventory",
    client="inventory_client.client:Inventory",
    emulator="inventory_client.emulator:emulate_inventory",
    command="inventory_client.command:InventoryCommand",
    compiler="inventory_client.filters:to_inventory",
    contract="inventory_client.contract:SERVICE",
)
