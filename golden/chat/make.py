"""Golden of chat templates: what transformers makes of conversations.

    python make.py [FOLDER]

case.json holds templates written for this file, each in the manner of a family's own and with the Jinja that it takes,
some conversations, and their texts by transformers, or what the template raises. Today is 26 July 2024 in all of them.

With FOLDER, the `models/templates` of a llama.cpp source tree, real.json in the folder gets the same of every template
there. `IRTUNE_CHAT_TEMPLATES=FOLDER cargo test -p irtune-model --lib real_templates -- --ignored` compares them and writes
the count to results/chat_templates.json.
"""

import datetime
import json
import sys
from importlib.metadata import version
from pathlib import Path

import jinja2
from transformers.utils import chat_template_utils

HERE = Path(__file__).parent


class Today(datetime.datetime):
    @classmethod
    def now(cls):
        return datetime.datetime(2024, 7, 26)


chat_template_utils.datetime = Today

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
CONVERSATIONS = {
    "user": [("user", "Why was it revised?")],
    "blanks": [("user", "  two\nlines \n")],
    "system": [("system", " Answer shortly. "), ("user", "Why?")],
    "shots": [("user", "A"), ("assistant", "tone"), ("user", "B"), ("assistant", " style "), ("user", "C")],
    "system and shots": [("system", "Be brief."), ("user", "A & <b>"), ("assistant", "tone"), ("user", 'C "q" é 日本')],
    "no turns": [("user", "A"), ("user", "B")],
    "answered": [("user", "A"), ("assistant", "tone")],
}
TEMPLATES = {
    # A system turn of its own where none is given.
    "chatml": """{% for message in messages %}
{% if loop.first and message['role'] != 'system' %}
{{ '<|im_start|>system\\nYou are a careful editor.<|im_end|>\\n' }}
{% endif %}
{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}
{% endfor %}
{% if add_generation_prompt %}
{{ '<|im_start|>assistant\\n' }}
{% endif %}""",
    # Headers, the date, contents without their outer blanks.
    "headers": """{{- bos_token }}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "unknown" %}
    {%- endif %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|header|>system<|/header|>\\n\\nToday: " + date_string + "\\n\\n" + system_message + "<|eot|>" }}
{%- for message in messages %}
    {{- '<|header|>' + message['role'] + '<|/header|>\\n\\n' + message['content'] | trim + '<|eot|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|header|>assistant<|/header|>\\n\\n' }}
{%- endif %}
""",
    # No system turn, turns in strict order.
    "turns": """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('There is no system role') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}""",
    # The system's words become the beginning of the user's.
    "instructions": """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set ns = namespace(last=-1) %}
{%- for message in loop_messages %}{% if message.role == "user" %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if loop.index0 == ns.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + " [/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + " [/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"] + eos_token }}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, not " + message["role"] + "!") }}
    {%- endif %}
{%- endfor %}""",
    # Macros, reversed loops, Python's methods, thoughts that are dropped, JSON.
    "thoughts": """{%- macro turn(role, text) -%}
<|{{ role }}|>{{ text }}<|end|>
{% endmacro -%}
{%- set ns = namespace(search=true, last=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.search and message.role == "user" and message.content is string %}
        {%- set ns.search = false %}
        {%- set ns.last = index %}
        {%- break %}
    {%- endif %}
{%- endfor %}
{%- if tools is iterable and tools | length > 0 %}{{ tools | tojson }}{% endif %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if '</think>' in content %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {%- generation %}{% endgeneration %}
    {{- turn(message.role, content.strip() if loop.index0 < ns.last else content.rstrip()) }}
    {{- {"role": message.role, "n": [1, 2.5, true, none, content|upper], "e": {}} | tojson }}
    {{- ["a"] | tojson(indent=2) }}
{%- endfor %}
{%- if add_generation_prompt %}<|assistant|>{% if enable_thinking is defined and enable_thinking is false %}<think></think>{% endif %}{% endif %}
""".replace("{%- generation %}{% endgeneration %}", "{% generation %}.{% endgeneration %}"),
}


def rendered(template, messages, generation_prompt):
    messages = [{"role": role, "content": content} for role, content in messages]
    case = {"messages": messages, "generation_prompt": generation_prompt}
    try:
        texts, _ = chat_template_utils.render_jinja_template(
            [messages], chat_template=template, add_generation_prompt=generation_prompt, tools=None, documents=None,
            **SPECIAL,
        )
    except jinja2.exceptions.TemplateError as error:
        return case | {"raises": str(error)}
    return case | {"text": texts[0]}


def of(templates):
    cases = []
    for name, template in templates.items():
        conversations = []
        for messages in CONVERSATIONS.values():
            try:
                conversations.append(rendered(template, messages, messages[-1][0] == "user"))
            except Exception as error:  # The template needs what only tools give.
                print(f"{name}: {type(error).__name__}: {error}")
        cases.append({"name": name, "template": template, "conversations": conversations})
    return {"versions": {"transformers": version("transformers"), "jinja2": version("jinja2")}, "special": SPECIAL, "templates": cases}


def main():
    (HERE / "case.json").write_text(json.dumps(of(TEMPLATES), indent=1, ensure_ascii=False) + "\n")
    for folder in map(Path, sys.argv[1:]):
        templates = {path.stem: path.read_text() for path in sorted(folder.glob("*.jinja"))}
        (folder / "real.json").write_text(json.dumps(of(templates)))


if __name__ == "__main__":
    main()
