"""Prints the CloudFormation template that AWS makes of a SAM template."""

import json
import re
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class ManagedPolicies:
    def load(self):
        return {}


# `sam package` puts the address of what it has uploaded in place of a folder.
text = re.sub(r"CodeUri: \S+", "CodeUri: s3://code/function.zip", open(sys.argv[1]).read())
print(json.dumps(transform(yaml_parse(text), {}, ManagedPolicies())))
