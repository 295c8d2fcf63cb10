"""Records of the books as the JSON of the Accounting API (github.com/XeroAPI/Xero-OpenAPI, xero_accounting.yaml)."""

from __future__ import annotations

from typing import Any

from zixly_sandbox.xero.books import Books, Contact, Invoice, Line, Payment
from zixly_sandbox.xero.dates import date_text, instant_text, iso_text

# In whole pages each invoice is written out, lines and the contact's e-mail too; in a summary it is not.
Document = dict[str, Any]


def invoice_document(invoice: Invoice, *, summary: bool = False) -> Document:
    """An invoice; `summary` leaves out lines, payments and all of the contact but its name."""
    document: Document = {
        "Type": invoice.type,
        "InvoiceID": invoice.id,
        "InvoiceNumber": invoice.number,
        "Reference": invoice.reference,
        "Prepayments": [],
        "Overpayments": [],
        "AmountDue": invoice.due / 100,
        "AmountPaid": invoice.paid / 100,
        "AmountCredited": 0.0,
        "SentToContact": invoice.status in {"AUTHORISED", "PAID"},
        "CurrencyRate": 1.0,
        "IsDiscounted": False,
        "HasAttachments": False,
        "HasErrors": False,
        "Contact": reference_document(invoice.contact) if summary else contact_document(invoice.contact),
        "DateString": iso_text(invoice.day),
        "Date": date_text(invoice.day),
        "DueDateString": iso_text(invoice.due_day),
        "DueDate": date_text(invoice.due_day),
        "Status": invoice.status,
        "LineAmountTypes": "Exclusive",
        "SubTotal": invoice.sub_total / 100,
        "TotalTax": invoice.tax / 100,
        "Total": invoice.total / 100,
        "UpdatedDateUTC": instant_text(invoice.updated_at),
        "CurrencyCode": invoice.currency,
    }
    if invoice.fully_paid_on is not None:
        document["FullyPaidOnDate"] = date_text(invoice.fully_paid_on)
    if not summary:
        document["LineItems"] = [line_document(line) for line in invoice.lines]
        document["Payments"] = [inner_payment_document(payment) for payment in invoice.payments]
        document["CreditNotes"] = []
    return document


def line_document(line: Line) -> Document:
    return {
        "LineItemID": line.id,
        "Description": line.description,
        "Quantity": line.quantity,
        "UnitAmount": line.unit_cents / 100,
        "AccountCode": line.account,
        "TaxType": line.tax_type,
        "TaxAmount": line.tax_cents / 100,
        "LineAmount": line.cents / 100,
        "Tracking": [],
    }


def inner_payment_document(payment: Payment) -> Document:
    return {
        "PaymentID": payment.id,
        "Date": date_text(payment.day),
        "Amount": payment.cents / 100,
        "Reference": payment.reference,
        "CurrencyRate": 1.0,
        "HasAccount": False,
        "HasValidationErrors": False,
    }


def payment_document(payment: Payment, invoice: Invoice) -> Document:
    return {
        "PaymentID": payment.id,
        "Date": date_text(payment.day),
        "Amount": payment.cents / 100,
        "BankAmount": payment.cents / 100,
        "Reference": payment.reference,
        "CurrencyRate": 1.0,
        "PaymentType": f"{invoice.type}PAYMENT",
        "Status": "AUTHORISED",
        "UpdatedDateUTC": instant_text(payment.updated_at),
        "HasAccount": True,
        "IsReconciled": False,
        "Account": {"Code": payment.account},
        "Invoice": invoice_document(invoice, summary=True),
        "HasValidationErrors": False,
    }


def reference_document(contact: Contact) -> Document:
    return {"ContactID": contact.id, "Name": contact.name, "HasValidationErrors": False}


def contact_document(contact: Contact) -> Document:
    """A contact. What is not set is left out, as Xero does."""
    optional = {
        "ContactNumber": contact.number,
        "FirstName": contact.first_name,
        "LastName": contact.last_name,
        "EmailAddress": contact.email,
        "DefaultCurrency": contact.currency,
    }
    return {
        "ContactID": contact.id,
        "ContactStatus": contact.status,
        "Name": contact.name,
        **{name: value for name, value in optional.items() if value},
        "Addresses": [{"AddressType": "STREET", "City": "", "Region": "", "PostalCode": "", "Country": ""}],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "IsSupplier": contact.is_supplier,
        "IsCustomer": contact.is_customer,
        "UpdatedDateUTC": instant_text(contact.updated_at),
        "HasAttachments": False,
        "HasValidationErrors": False,
    }


def organisation_document(books: Books) -> Document:
    return {
        "OrganisationID": books.id,
        "Name": books.name,
        "LegalName": books.name,
        "PaysTax": True,
        "Version": books.country,
        "OrganisationType": "COMPANY",
        "BaseCurrency": books.currency,
        "CountryCode": books.country,
        "IsDemoCompany": True,
        "OrganisationStatus": "ACTIVE",
        "OrganisationEntityType": "COMPANY",
        "Class": "DEMO",
        "Edition": "BUSINESS",
    }
