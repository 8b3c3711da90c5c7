"""The records of a `.wandb` log, as protobuf messages.

Only the fields that are read are declared; protobuf passes over the others. Declaring them here
makes the reader independent of wandb, whose import takes half a second.
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_TYPES = {
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "int64": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "int32": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
}

# Message: field number, name, type; a star marks a list. Numbers as in wandb_internal.proto 0.31.
_MESSAGES = {
    "Timestamp": "1 seconds int64, 2 nanos int32",
    "Item": "1 key string, 2 nested_key string*, 16 value_json string",
    "Update": "1 update Item*, 2 remove Item*",
    "History": "1 item Item*",
    "Stats": "2 timestamp Timestamp, 3 item Item*",
    "Git": "1 remote_url string, 2 commit string",
    "Run": (
        "1 run_id string, 2 entity string, 3 project string, 4 config Update, 6 run_group string, "
        "7 job_type string, 8 display_name string, 9 notes string, 10 tags string*, "
        "13 host string, 17 start_time Timestamp"
    ),
    "Exit": "1 exit_code int32, 2 runtime int32",
    "Entry": "1 path string, 2 digest string, 3 ref string, 4 size int64, 6 local_path string",
    "Manifest": "4 contents Entry*",
    "Artifact": (
        "4 type string, 5 name string, 6 digest string, 8 metadata string, "
        "10 use_after_commit bool, 11 aliases string*, 12 manifest Manifest"
    ),
    "Environment": "2 python string, 7 code_path string, 9 git Git",
    "Record": (
        "1 num int64, 2 history History, 3 summary Update, 5 config Update, 7 stats Stats, "
        "8 artifact Artifact, 17 run Run, 18 exit Exit, 26 environment Environment"
    ),
}


def _record_class() -> type:
    file = descriptor_pb2.FileDescriptorProto(
        name="caduceus/wandb_log.proto", package="caduceus.wandb_log", syntax="proto3"
    )
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for field in fields.split(", "):
            number, name, kind = field.split()
            is_list = kind.endswith("*")
            kind = kind.rstrip("*")
            declared = message.field.add(
                name=name,
                number=int(number),
                label=(
                    descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
                    if is_list
                    else descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
                ),
            )
            if kind in _TYPES:
                declared.type = _TYPES[kind]
            else:
                declared.type = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
                declared.type_name = f".caduceus.wandb_log.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("caduceus.wandb_log.Record"))


Record = _record_class()
