-- What PostgreSQL clients ask of pg_catalog and information_schema, over the
-- three tables that catalog.go fills: pg.shown_table, pg.shown_column and
-- pg.setting. The engine keeps those two names for itself, so the schemas are
-- called pg and information here; dialect.go writes questions accordingly.
-- The names and columns are PostgreSQL 15's. What a month has none of is empty.
create view pg.type_row as
select * from (values
    (16, 'bool', 'boolean', 1, 'B', 1000), (17, 'bytea', 'bytea', -1, 'U', 1001), (18, 'char', '"char"', 1, 'Z', 1002),
    (19, 'name', 'name', 64, 'S', 1003), (20, 'int8', 'bigint', 8, 'N', 1016), (21, 'int2', 'smallint', 2, 'N', 1005),
    (23, 'int4', 'integer', 4, 'N', 1007), (24, 'regproc', 'regproc', 4, 'N', 1008), (25, 'text', 'text', -1, 'S', 1009),
    (26, 'oid', 'oid', 4, 'N', 1028), (700, 'float4', 'real', 4, 'N', 1021), (701, 'float8', 'double precision', 8, 'N', 1022),
    (705, 'unknown', 'unknown', -2, 'X', 0), (1042, 'bpchar', 'character', -1, 'S', 1014), (1043, 'varchar', 'character varying', -1, 'S', 1015),
    (1082, 'date', 'date', 4, 'D', 1182), (1083, 'time', 'time without time zone', 8, 'D', 1183),
    (1114, 'timestamp', 'timestamp without time zone', 8, 'D', 1115), (1184, 'timestamptz', 'timestamp with time zone', 8, 'D', 1185),
    (1186, 'interval', 'interval', 16, 'T', 1187), (1266, 'timetz', 'time with time zone', 12, 'D', 1270), (1700, 'numeric', 'numeric', -1, 'N', 1231),
    (2205, 'regclass', 'regclass', 4, 'N', 2210), (2206, 'regtype', 'regtype', 4, 'N', 2211), (2950, 'uuid', 'uuid', 16, 'U', 2951)
) as type_row(oid, typname, full_name, typlen, typcategory, typarray);

create view pg.pg_namespace as
select 11 as oid, 'pg_catalog' as nspname, 10 as nspowner, null::varchar[] as nspacl
union all select 13, 'information_schema', 10, null
union all select 16384 + row_number() over (order by schema_name), schema_name, 10, null from (select distinct schema_name from pg.shown_table);

create view pg.pg_class as
select
    shown_table.oid, shown_table.table_name as relname, pg_namespace.oid as relnamespace, 0 as reltype, 0 as reloftype, 10 as relowner, 2 as relam,
    0 as relfilenode, 0 as reltablespace, 0 as relpages, (-1)::float as reltuples, 0 as relallvisible, 0 as reltoastrelid, false as relhasindex,
    false as relisshared, 'p' as relpersistence, 'r' as relkind, shown_table.columns::smallint as relnatts, 0::smallint as relchecks, false as relhasrules,
    false as relhastriggers, false as relhassubclass, false as relrowsecurity, false as relforcerowsecurity, true as relispopulated, 'd' as relreplident,
    false as relispartition, 0 as relrewrite, 0 as relfrozenxid, 0 as relminmxid, null::varchar[] as relacl, null::varchar[] as reloptions,
    null::varchar as relpartbound
from pg.shown_table join pg.pg_namespace on pg_namespace.nspname = shown_table.schema_name;

create view pg.pg_attribute as
select
    shown_column.table_oid as attrelid, shown_column.column_name as attname, shown_column.type_oid as atttypid, -1 as attstattarget,
    type_row.typlen::smallint as attlen, shown_column.position::smallint as attnum, 0 as attndims, -1 as attcacheoff, shown_column.type_mod as atttypmod,
    false as attbyval, 'i' as attalign, 'x' as attstorage, '' as attcompression, false as attnotnull, false as atthasdef, false as atthasmissing,
    '' as attidentity, '' as attgenerated, false as attisdropped, true as attislocal, 0 as attinhcount,
    case type_row.typcategory when 'S' then 100 else 0 end as attcollation, null::varchar[] as attacl, null::varchar[] as attoptions,
    null::varchar[] as attfdwoptions, null::varchar as attmissingval
from pg.shown_column join pg.type_row on type_row.oid = shown_column.type_oid;

create view pg.pg_type as
with scalar_row as (
    select oid, typname, typlen, typcategory, 0 as typelem, typarray, typname || 'in' as typinput from pg.type_row
    union all select typarray, '_' || typname, -1, 'A', oid, 0, 'pg_catalog.array_in' from pg.type_row where typarray > 0
)
select
    oid, typname, 11 as typnamespace, 10 as typowner, typlen::smallint as typlen, typlen between 0 and 8 as typbyval, 'b' as typtype, typcategory,
    false as typispreferred, true as typisdefined, ',' as typdelim, 0 as typrelid, '-' as typsubscript, typelem, typarray, typinput,
    replace(typinput, 'in', 'out') as typoutput, '-' as typreceive, '-' as typsend, '-' as typmodin, '-' as typmodout, '-' as typanalyze, 'i' as typalign,
    'x' as typstorage, false as typnotnull, 0 as typbasetype, -1 as typtypmod, 0 as typndims,
    case typcategory when 'S' then 100 else 0 end as typcollation, null::varchar as typdefaultbin, null::varchar as typdefault, null::varchar[] as typacl
from scalar_row;

create view pg.pg_database as
select
    5 as oid, current_database() as datname, 10 as datdba, 6 as encoding, 'c' as datlocprovider, false as datistemplate, true as datallowconn, -1 as datconnlimit,
    0 as datfrozenxid, 0 as datminmxid, 1663 as dattablespace, 'C' as datcollate, 'C' as datctype, null::varchar as daticulocale, null::varchar as datcollversion,
    null::varchar[] as datacl;

create view pg.pg_roles as
select
    10 as oid, session_user() as rolname, false as rolsuper, true as rolinherit, false as rolcreaterole, false as rolcreatedb, true as rolcanlogin,
    false as rolreplication, -1 as rolconnlimit, '********' as rolpassword, null::timestamptz as rolvaliduntil, false as rolbypassrls,
    null::varchar[] as rolconfig;
create view pg.pg_user as select rolname as usename, oid as usesysid, false as usecreatedb, false as usesuper, false as userepl, false as usebypassrls from pg.pg_roles;
create view pg.pg_authid as select * from pg.pg_roles;
create view pg.pg_auth_members as select 0 as roleid, 0 as member, 0 as grantor, false as admin_option limit 0;
create view pg.pg_am as select 2 as oid, 'heap' as amname, 'heap_tableam_handler' as amhandler, 't' as amtype;
create view pg.pg_collation as select 100 as oid, 'default' as collname, 11 as collnamespace, 'd' as collprovider;
create view pg.pg_tablespace as select 1663 as oid, 'pg_default' as spcname, 10 as spcowner, null::varchar[] as spcacl, null::varchar[] as spcoptions;
create view pg.pg_language as select 0 as oid, '' as lanname limit 0;
create view pg.pg_settings as
select key as name, setting, null::varchar as unit, '' as category, '' as short_desc, '' as extra_desc, 'user' as context, 'string' as vartype, 'default' as source from pg.setting;
create view pg.pg_tables as
select schema_name as schemaname, table_name as tablename, session_user() as tableowner, null::varchar as "tablespace", false as hasindexes, false as hasrules, false as hastriggers, false as rowsecurity
from pg.shown_table;
create view pg.pg_description as
select oid as objoid, 1259 as classoid, 0 as objsubid, comment as description from pg.shown_table where comment <> '';
create view pg.pg_views as select '' as schemaname, '' as viewname, '' as viewowner, '' as definition limit 0;
create view pg.pg_matviews as select '' as schemaname, '' as matviewname, '' as matviewowner, '' as definition limit 0;
create view pg.pg_shdescription as select 0 as objoid, 0 as classoid, '' as description limit 0;
create view pg.pg_proc as
select 0 as oid, '' as proname, 0 as pronamespace, 0 as proowner, 'f' as prokind, 0 as prorettype, 0 as prolang, '' as proargtypes, false as proretset, null::varchar[] as proargnames, null::varchar as prosrc, false as prosecdef limit 0;
create view pg.pg_index as
select 0 as indexrelid, 0 as indrelid, false as indisunique, false as indisprimary, false as indisclustered, true as indisvalid, [0] as indkey, [0] as indoption, [0] as indclass, null::varchar as indexprs, null::varchar as indpred, false as indisreplident, false as indisexclusion, false as indimmediate, false as indnullsnotdistinct, 0 as indnatts, 0 as indnkeyatts limit 0;
create view pg.pg_indexes as select '' as schemaname, '' as tablename, '' as indexname, '' as "tablespace", '' as indexdef limit 0;
create view pg.pg_constraint as
select 0 as oid, '' as conname, 0 as connamespace, '' as contype, false as condeferrable, false as condeferred, true as convalidated, 0 as conrelid, 0 as contypid, 0 as conindid, 0 as conparentid, 0 as confrelid, '' as confupdtype, '' as confdeltype, '' as confmatchtype, [0] as conkey, [0] as confkey, null::varchar as conbin, false as connoinherit, false as conislocal, 0 as coninhcount limit 0;
create view pg.pg_attrdef as select 0 as oid, 0 as adrelid, 0 as adnum, null::varchar as adbin limit 0;
create view pg.pg_inherits as select 0 as inhrelid, 0 as inhparent, 0 as inhseqno, false as inhdetachpending limit 0;
create view pg.pg_policy as
select 0 as oid, '' as polname, 0 as polrelid, '' as polcmd, true as polpermissive, [0] as polroles, null::varchar as polqual, null::varchar as polwithcheck limit 0;
create view pg.pg_trigger as select 0 as oid, 0 as tgrelid, '' as tgname, 0 as tgfoid, '' as tgenabled, false as tgisinternal, 0 as tgconstraint, 0 as tgparentid, 0 as tgtype limit 0;
create view pg.pg_rewrite as select 0 as oid, '' as rulename, 0 as ev_class, '' as ev_type, '' as ev_enabled, false as is_instead limit 0;
create view pg.pg_depend as select 0 as classid, 0 as objid, 0 as objsubid, 0 as refclassid, 0 as refobjid, 0 as refobjsubid, '' as deptype limit 0;
create view pg.pg_statistic_ext as select 0 as oid, 0 as stxrelid, '' as stxname, 0 as stxnamespace, 0 as stxowner, 0 as stxstattarget, [0] as stxkeys, [''] as stxkind limit 0;
create view pg.pg_conversion as select 0 as oid, '' as conname, 0 as connamespace, 0 as conforencoding, 0 as contoencoding limit 0;
create view pg.pg_default_acl as select 0 as oid, 0 as defaclrole, 0 as defaclnamespace, '' as defaclobjtype, null::varchar[] as defaclacl limit 0;
create view pg.pg_available_extensions as select '' as name, '' as default_version, '' as installed_version, '' as comment limit 0;
create view pg.pg_shdepend as select 0 as dbid, 0 as classid, 0 as objid, 0 as refclassid, 0 as refobjid, '' as deptype limit 0;
create view pg.pg_stat_activity as select 0 as datid, '' as datname, 0 as pid, '' as usename, '' as application_name, '' as state, '' as query limit 0;
create view pg.pg_enum as select 0 as oid, 0 as enumtypid, 0::float as enumsortorder, '' as enumlabel limit 0;
create view pg.pg_range as select 0 as rngtypid, 0 as rngsubtype limit 0;
create view pg.pg_extension as select 0 as oid, '' as extname, 0 as extowner, 0 as extnamespace, false as extrelocatable, '' as extversion, [0] as extconfig limit 0;
create view pg.pg_foreign_table as select 0 as ftrelid, 0 as ftserver, null::varchar[] as ftoptions limit 0;
create view pg.pg_foreign_server as select 0 as oid, '' as srvname, 0 as srvowner, 0 as srvfdw limit 0;
create view pg.pg_foreign_data_wrapper as select 0 as oid, '' as fdwname, 0 as fdwowner, 0 as fdwhandler, null::varchar[] as fdwoptions limit 0;
create view pg.pg_event_trigger as select 0 as oid, '' as evtname, '' as evtevent, 0 as evtowner limit 0;
create view pg.pg_partitioned_table as select 0 as partrelid, '' as partstrat limit 0;
create view pg.pg_sequence as select 0 as seqrelid, 0 as seqtypid, 0 as seqstart, 0 as seqincrement, 0 as seqmin, 0 as seqmax, 0 as seqcache, false as seqcycle limit 0;
create view pg.pg_sequences as select '' as schemaname, '' as sequencename limit 0;
create view pg.pg_publication as select 0 as oid, '' as pubname, false as puballtables limit 0;
create view pg.pg_operator as select 0 as oid, '' as oprname, 0 as oprnamespace limit 0;
create view pg.pg_opclass as select 0 as oid, '' as opcname, true as opcdefault limit 0;
create view pg.pg_aggregate as select 0 as aggfnoid limit 0;

create view information.schemata as
select current_database() as catalog_name, nspname as schema_name, session_user() as schema_owner, null::varchar as default_character_set_catalog, null::varchar as default_character_set_schema, null::varchar as default_character_set_name, null::varchar as sql_path
from pg.pg_namespace;
create view information.tables as
select
    current_database() as table_catalog, schema_name as table_schema, table_name, 'BASE TABLE' as table_type, null::varchar as self_referencing_column_name, null::varchar as reference_generation,
    null::varchar as user_defined_type_catalog, null::varchar as user_defined_type_schema, null::varchar as user_defined_type_name, 'NO' as is_insertable_into, 'NO' as is_typed, null::varchar as commit_action
from pg.shown_table;
create view information.columns as
select
    current_database() as table_catalog, shown_table.schema_name as table_schema, shown_table.table_name, shown_column.column_name, shown_column.position as ordinal_position,
    null::varchar as column_default, 'YES' as is_nullable, type_row.full_name as data_type, null::integer as character_maximum_length, null::integer as character_octet_length,
    case when type_mod > 0 then (type_mod - 4) >> 16 end as numeric_precision, case when typcategory = 'N' then 10 end as numeric_precision_radix,
    case when type_mod > 0 then (type_mod - 4) & 65535 end as numeric_scale, null::integer as datetime_precision, null::varchar as interval_type,
    null::varchar as character_set_name, null::varchar as collation_name, null::varchar as domain_name, current_database() as udt_catalog, 'pg_catalog' as udt_schema,
    type_row.typname as udt_name, shown_column.position::varchar as dtd_identifier, 'NO' as is_identity, null::varchar as identity_generation, 'NEVER' as is_generated, null::varchar as generation_expression,
    'NO' as is_updatable
from pg.shown_column
join pg.shown_table on shown_table.oid = shown_column.table_oid
join pg.type_row on type_row.oid = shown_column.type_oid;
create view information.views as select '' as table_catalog, '' as table_schema, '' as table_name, '' as view_definition limit 0;
create view information.table_constraints as select '' as constraint_catalog, '' as constraint_schema, '' as constraint_name, '' as table_schema, '' as table_name, '' as constraint_type limit 0;
create view information.key_column_usage as select '' as constraint_schema, '' as constraint_name, '' as table_schema, '' as table_name, '' as column_name, 0 as ordinal_position, 0 as position_in_unique_constraint limit 0;
create view information.constraint_column_usage as select '' as constraint_schema, '' as constraint_name, '' as table_schema, '' as table_name, '' as column_name limit 0;
create view information.referential_constraints as select '' as constraint_schema, '' as constraint_name, '' as unique_constraint_schema, '' as unique_constraint_name, '' as update_rule, '' as delete_rule limit 0;
create view information.routines as select '' as routine_schema, '' as routine_name, '' as specific_name, '' as routine_type, '' as data_type limit 0;

create macro version() as 'PostgreSQL 15.0 (tongbao)';
create macro current_schemas(implicit) as case when implicit then ['pg_catalog', current_schema()] else [current_schema()] end;
create macro current_setting(name) as (select max(setting) from pg.setting where lower(key) = lower(name)), (name, missing_ok) as (select max(setting) from pg.setting where lower(key) = lower(name));
create macro set_config(name, value, is_local) as value;
create macro pg_get_userbyid(number) as session_user();
create macro pg_encoding_to_char(number) as 'UTF8';
create macro pg_char_to_encoding(name) as 6;
create macro getdatabaseencoding() as 'UTF8';
create macro pg_is_in_recovery() as false;
create macro pg_my_temp_schema() as 0;
create macro pg_is_other_temp_schema(number) as false;
create macro pg_table_is_visible(number) as number in (select oid from pg.shown_table where schema_name = current_schema());
create macro pg_type_is_visible(number) as true;
create macro pg_collation_is_visible(number) as true;
create macro pg_function_is_visible(number) as true;
create macro pg_relation_is_publishable(number) as false;
create macro pg_get_expr(node, number) as null::varchar, (node, number, pretty) as null::varchar;
create macro pg_get_viewdef(number) as null::varchar, (number, pretty) as null::varchar;
create macro pg_get_indexdef(number) as null::varchar, (number, at, pretty) as null::varchar;
create macro pg_get_constraintdef(number) as null::varchar, (number, pretty) as null::varchar;
create macro pg_get_ruledef(number) as null::varchar, (number, pretty) as null::varchar;
create macro pg_get_triggerdef(number) as null::varchar, (number, pretty) as null::varchar;
create macro pg_get_partkeydef(number) as null::varchar;
create macro pg_get_serial_sequence(table_name, column_name) as null::varchar;
create macro pg_get_statisticsobjdef_columns(number) as null::varchar;
create macro pg_get_function_result(number) as null::varchar;
create macro pg_get_function_arguments(number) as null::varchar;
create macro pg_get_function_identity_arguments(number) as null::varchar;
create macro pg_database_size(number) as 0::bigint;
create macro pg_relation_size(number) as 0::bigint;
create macro pg_table_size(number) as 0::bigint;
create macro pg_total_relation_size(number) as 0::bigint;
create macro pg_tablespace_location(number) as '';
create macro format_type(number, modifier) as
    case
        when number = 1700 and modifier > 0 then 'numeric(' || ((modifier - 4) >> 16) || ',' || ((modifier - 4) & 65535) || ')'
        else coalesce((select max(full_name) from pg.type_row where type_row.oid = number), (select max(full_name || '[]') from pg.type_row where typarray = number), '-')
    end;
create macro obj_description(number) as (select max(description) from pg.pg_description where objoid = number), (number, catalog) as (select max(description) from pg.pg_description where objoid = number and catalog = 'pg_class');
create macro col_description(number, at) as null::varchar;
create macro shobj_description(number, catalog) as null::varchar;
create macro has_table_privilege(relation, privilege) as upper(privilege) = 'SELECT', (account, relation, privilege) as upper(privilege) = 'SELECT';
create macro has_column_privilege(relation, at, privilege) as upper(privilege) = 'SELECT';
create macro has_schema_privilege(name, privilege) as upper(privilege) = 'USAGE', (account, name, privilege) as upper(privilege) = 'USAGE';
create macro has_database_privilege(name, privilege) as upper(privilege) = 'CONNECT', (account, name, privilege) as upper(privilege) = 'CONNECT';
create macro has_function_privilege(name, privilege) as false;
create macro pg_has_role(name, privilege) as false, (account, name, privilege) as false;
create macro array_upper(list, dimension) as nullif(len(list), 0);
create macro array_lower(list, dimension) as case when len(list) > 0 then 1 end;
create macro array_remove(list, gone) as list_filter(list, lambda one: one is distinct from gone);
create macro _pg_expandarray(list) as {'x': list[1], 'n': 1};
create macro generate_subscripts(list, dimension) as unnest(generate_series(1, len(list)));
create macro quote_ident(name) as '"' || replace(name, '"', '""') || '"';
create macro to_regclass(name) as
    coalesce(
        try_cast(name as bigint),
        case replace(lower(name), 'pg_catalog.', '') when 'pg_class' then 1259 when 'pg_namespace' then 2615 when 'pg_type' then 1247 when 'pg_proc' then 1255 when 'pg_database' then 1262 when 'pg_constraint' then 2606 end,
        (select max(oid) from pg.shown_table where schema_name || '.' || table_name = replace(name, '"', '')),
        (select max(oid) from pg.shown_table where schema_name = current_schema() and table_name = replace(name, '"', ''))
    );
create macro to_regtype(name) as
    coalesce(try_cast(name as bigint), (select max(oid) from pg.type_row where lower(replace(name, 'pg_catalog.', '')) in (typname, full_name)), (select max(oid) from pg.pg_type where typname = lower(name)));
create macro to_regproc(name) as name;
create macro to_regprocedure(name) as name;
create macro to_regnamespace(name) as (select max(oid) from pg.pg_namespace where nspname = name);
create macro to_regrole(name) as case when name = session_user() then 10 end;
create macro regclass_name(number) as coalesce((select max(schema_name || '.' || table_name) from pg.shown_table where shown_table.oid = number), number::varchar);
create macro regtype_name(number) as case when number = 0 then '-' else format_type(number, null) end;
create macro regproc_name(name) as name::varchar;
create macro regprocedure_name(name) as name::varchar;
create macro regnamespace_name(number) as (select max(nspname) from pg.pg_namespace where pg_namespace.oid = number);
create macro regrole_name(number) as session_user();
