"""What effects that create records are called, where more than the op that carries them out asks for them."""

INVOICE_CREATE = "xero.invoice.create"
NOTE_CREATE = "hubspot.note.create"
PROJECT_CREATE = "asana.project.create"
