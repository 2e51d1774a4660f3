package admin

import (
	"net/http"
	"strings"
)

// object is a piece of JSON, document a whole one.
type (
	object   = map[string]any
	document map[string]any
)

// OpenAPI describes the API in OpenAPI 3.1, made of the table and of the types of
// its answers, so that it cannot say anything else.
func (a *API) OpenAPI() object {
	paths, types := object{}, schemas{}
	refusal := types.of(Refusal{})
	for _, r := range a.Routes() {
		operation := object{
			"summary":   r.Does,
			"responses": responses(r, types, refusal),
			"x-role":    r.Role.String(),
		}
		if all := parameters(r); len(all) > 0 {
			operation["parameters"] = all
		}
		if r.takes != nil {
			operation["requestBody"] = object{"required": true, "content": inJSON(types.of(r.takes))}
		}
		if r.Role > Open {
			operation["security"] = []object{{"token": []string{}}, {"certificate": []string{}}}
		}
		path := strings.ReplaceAll(r.Path, "...}", "}")
		if paths[path] == nil {
			paths[path] = object{}
		}
		paths[path].(object)[strings.ToLower(r.Method)] = operation
	}
	return object{
		"openapi": "3.1.0",
		"info":    object{"title": "wonted", "version": "1", "description": "The admin API: see and change a running wonted."},
		"paths":   paths,
		"components": object{
			"securitySchemes": object{
				"token":       object{"type": "http", "scheme": "bearer"},
				"certificate": object{"type": "mutualTLS"},
			},
			"responses": object{"refused": object{
				"description": "why it cannot be done, and what to do about that",
				"content":     inJSON(refusal),
			}},
			"schemas": types,
		},
	}
}

func inJSON(schema object) object { return object{"application/json": object{"schema": schema}} }

// responses are those that a route may give.
func responses(r Route, types schemas, refusal object) object {
	refused := object{"$ref": "#/components/responses/refused"}
	done := object{"description": "done", "content": object{"text/plain": object{"schema": object{"type": "string"}}}}
	all := object{"200": done, "default": refused}
	if r.answer != nil {
		answer := types.of(r.answer)
		done["content"] = inJSON(answer)
		if strings.Contains(r.Path, "{") {
			all["404"] = object{"description": "there is none: an empty answer, or why", "content": inJSON(object{"anyOf": []object{answer, refusal}})}
		}
	}
	if r.Role > Open {
		all["401"], all["403"], all["429"] = refused, refused, refused
	}
	if r.Role == Write && !r.undo {
		all["507"] = refused
	}
	return all
}

func parameters(r Route) (all []object) {
	text := object{"type": "string"}
	for _, part := range strings.Split(r.Path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			all = append(all, object{"name": strings.TrimRight(name, ".}"), "in": "path", "required": true, "schema": text})
		}
	}
	if r.Role == Write {
		all = append(all, object{"name": "reason", "in": "query", "description": "for the audit trail", "schema": text})
	}
	return all
}

func (a *API) describeOpenAPI() {
	a.Read("GET /v1/openapi.json", "describes the routes in OpenAPI 3.1", document{}, func(w http.ResponseWriter, _ *http.Request) {
		JSON(w, http.StatusOK, a.OpenAPI())
	})
}
