"""A Lambda function of commands as its users would write it: the batch processor of Powertools for AWS Lambda, which
handles record by record, so that each is a transaction. It reports the records that failed."""

from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response

from commands import CreateTask, connect, write

processor = SqsFifoPartialProcessor(skip_group_on_error=True)
pool = connect(1)


def record_handler(record):
    write(pool, [CreateTask.model_validate_json(record.body)])


def handler(event, context):
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
