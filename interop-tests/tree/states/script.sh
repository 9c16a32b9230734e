#!/bin/sh
echo "changed=yes comment=script words=$#"
