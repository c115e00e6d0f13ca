"""Converters between Python values, exceptions and search attributes, and what travels on the wire."""

from outlast.converter._codec import PayloadCodec
from outlast.converter._context import (
    ActivitySerializationContext,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from outlast.converter._data_converter import DataConverter
from outlast.converter._encodings import (
    BinaryNullPayloadConverter,
    BinaryPlainPayloadConverter,
    BinaryProtoPayloadConverter,
    DefaultPayloadConverter,
    JSONProtoPayloadConverter,
)
from outlast.converter._errors import create_payload_validation_error
from outlast.converter._failure_converter import (
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    FailureConverter,
)
from outlast.converter._json import AdvancedJSONEncoder, JSONPlainPayloadConverter
from outlast.converter._payload_converter import CompositePayloadConverter, EncodingPayloadConverter, PayloadConverter
from outlast.converter._search_attributes import (
    decode_search_attributes,
    decode_typed_search_attributes,
    encode_search_attribute_values,
    encode_search_attributes,
    encode_typed_search_attribute_value,
)
from outlast.converter._transfer_type import TransferTypeConverter, transfer_type_convertible
from outlast.converter._typed_values import JSONTypeConverter, JSONTypeConverterUnhandled, value_to_type

__all__ = [
    "ActivitySerializationContext",
    "AdvancedJSONEncoder",
    "BinaryNullPayloadConverter",
    "BinaryPlainPayloadConverter",
    "BinaryProtoPayloadConverter",
    "CompositePayloadConverter",
    "DataConverter",
    "DefaultFailureConverter",
    "DefaultFailureConverterWithEncodedAttributes",
    "DefaultPayloadConverter",
    "EncodingPayloadConverter",
    "FailureConverter",
    "JSONPlainPayloadConverter",
    "JSONProtoPayloadConverter",
    "JSONTypeConverter",
    "JSONTypeConverterUnhandled",
    "PayloadCodec",
    "PayloadConverter",
    "SerializationContext",
    "TransferTypeConverter",
    "WithSerializationContext",
    "WorkflowSerializationContext",
    "create_payload_validation_error",
    "decode_search_attributes",
    "decode_typed_search_attributes",
    "default",
    "encode_search_attribute_values",
    "encode_search_attributes",
    "encode_typed_search_attribute_value",
    "transfer_type_convertible",
    "value_to_type",
]

DataConverter.default = DataConverter()
PayloadConverter.default = DataConverter.default.payload_converter
FailureConverter.default = DataConverter.default.failure_converter


def default() -> DataConverter:
    """The default data converter. Deprecated: use `DataConverter.default`."""
    return DataConverter.default
